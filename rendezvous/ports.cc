#include "rendezvous/ports.h"

#include <algorithm>
#include <string_view>

namespace muster::rendezvous {

namespace {

// splitmix64: each call moves the state on and returns well mixed bits. The numbers are part of
// the protocol: all versions of muster in one job must walk the same ports.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t bits = state;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

std::uint64_t mixed(std::uint64_t seed, std::uint64_t value) {
  std::uint64_t state = seed ^ value;
  return next_random(state);
}

std::uint64_t seed_of(const Incarnation& incarnation) {
  std::uint64_t seed = mixed(0, incarnation.job);
  seed = mixed(seed, incarnation.step);
  seed = mixed(seed, incarnation.restart_count);
  for (const char letter : incarnation.scope)
    seed = mixed(seed, static_cast<unsigned char>(letter) + 1U);
  return seed;
}

void append_if_new(std::vector<std::uint16_t>& ports, std::uint16_t port) {
  if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
}

}  // namespace

std::vector<std::uint16_t> candidate_ports(const Incarnation& incarnation,
                                           const std::vector<std::uint16_t>& reserved) {
  std::vector<std::uint16_t> ports;
  for (const std::uint16_t port : reserved) {
    if (port != 0) append_if_new(ports, port);
  }
  const std::size_t wanted = ports.size() + kPortCandidates;
  std::uint64_t state = seed_of(incarnation);
  while (ports.size() < wanted) {
    constexpr std::uint64_t kSpan = kLastPort - kFirstPort + 1;
    append_if_new(ports, static_cast<std::uint16_t>(kFirstPort + next_random(state) % kSpan));
  }
  return ports;
}

}  // namespace muster::rendezvous
