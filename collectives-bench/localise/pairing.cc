#include "collectives-bench/localise/pairing.h"

#include <algorithm>

namespace muster::bench::localise {

namespace {

constexpr std::uint32_t kStays = 0;  // the position whose seat does not turn

// Seats along the cycle that rounds 0 and 1 form: stays, 0, 1, M-1, 2, M-2, ...
std::uint32_t seat_of(std::uint32_t position, std::uint32_t modulus) {
  if (position == 1) return 0;
  const std::uint32_t half = position / 2;
  return position % 2 == 0 ? half : modulus - half;
}

std::uint32_t position_of(std::uint32_t seat, std::uint32_t modulus) {
  if (seat == 0) return 1;
  return seat <= (modulus - 1) / 2 ? 2 * seat : 2 * (modulus - seat) + 1;
}

// In which round the nodes 0 and `other` meet.
std::uint32_t round_with_first(std::uint32_t other, std::uint32_t modulus) {
  return 2 * seat_of(other, modulus) % modulus;
}

std::vector<std::uint32_t> round_order(std::uint32_t nodes) {
  const std::uint32_t length = tournament_length(nodes);
  std::vector<std::uint32_t> order;
  const auto add = [&](std::uint32_t t) {
    if (t < length && std::find(order.begin(), order.end(), t) == order.end()) order.push_back(t);
  };
  add(0);
  add(1);
  if (nodes % 2 == 1) add(round_with_first(nodes - 1, length));
  // Steps of the golden section visit the rest evenly, however many are taken.
  for (std::uint32_t k = 1; k <= length; ++k) {
    add(static_cast<std::uint32_t>(static_cast<double>(k) * 0.6180339887 * length) % length);
  }
  for (std::uint32_t t = 0; t < length; ++t) add(t);
  return order;
}

}  // namespace

std::uint32_t tournament_length(std::uint32_t nodes) {
  if (nodes < 2) return 0;
  return nodes % 2 == 0 ? nodes - 1 : nodes;
}

std::uint32_t ring_length(std::uint32_t nodes) {
  return std::min(2 + nodes % 2, tournament_length(nodes));
}

Pairing circle_round(std::uint32_t nodes, std::uint32_t t) {
  const std::uint32_t modulus = tournament_length(nodes);
  Pairing pairs;
  for (std::uint32_t position = 0; position < nodes; ++position) {
    std::uint32_t partner = 0;
    if (position == kStays) {
      // The seat that would meet itself: 2a = t (the modulus is odd).
      partner = position_of(t % 2 == 0 ? t / 2 : (t + modulus) / 2, modulus);
    } else {
      const std::uint32_t seat = seat_of(position, modulus);
      const std::uint32_t other = (t + modulus - seat) % modulus;
      partner = other == seat ? kStays : position_of(other, modulus);
    }
    if (position < partner && partner < nodes) pairs.emplace_back(position, partner);
  }
  return pairs;
}

std::vector<Pairing> first_pairings(std::uint32_t nodes, std::uint32_t count) {
  std::vector<Pairing> pairings;
  if (nodes < 2) return pairings;
  const std::vector<std::uint32_t> order = round_order(nodes);
  for (std::uint32_t i = 0; i < count; ++i) {
    pairings.push_back(circle_round(nodes, order[i % order.size()]));
  }
  return pairings;
}

}  // namespace muster::bench::localise
