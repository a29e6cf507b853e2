#include "collectives-bench/pattern.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "rendezvous/base/check.h"

namespace muster::bench {

namespace {

constexpr std::size_t kWeightPeriod = 61;

std::uint32_t mix(std::uint64_t seed) {
  seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
  seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
  return static_cast<std::uint32_t>(seed >> 33);
}

// The part of a value that all ranks share.
std::uint32_t base_value(std::size_t index, std::uint32_t round) {
  return mix((static_cast<std::uint64_t>(round) << 32) + index + 1) & 63u;
}

// The part that differs from rank to rank; of a short period, so that its sum over thousands of
// ranks is cheap.
std::uint32_t weight(std::size_t rank, std::size_t index) {
  return mix((static_cast<std::uint64_t>(rank + 1) << 20) + index) & 63u;
}

// Calls piece(place, part) for the runs of `count` elements from `offset` that stay in one period.
template <class Piece>
void split_by_period(std::size_t offset, std::size_t count, std::size_t period, Piece piece) {
  for (std::size_t done = 0; done < count;) {
    const std::size_t place = (offset + done) % period;
    const std::size_t part = std::min(period - place, count - done);
    piece(place, done, part);
    done += part;
  }
}

}  // namespace

Pattern::Pattern(std::size_t ranks, std::size_t elements, std::uint32_t round) : ranks_(ranks) {
  MUSTER_CHECK(ranks > 0 && ranks <= kMaxRanks && elements > 0);
  std::array<std::uint32_t, kWeightPeriod> weights{};
  for (std::size_t place = 0; place < kWeightPeriod; ++place) {
    for (std::size_t rank = 0; rank < ranks; ++rank) weights[place] += weight(rank, place);
  }
  const std::size_t length = std::min(elements, kPatternPeriod);
  base_.resize(length);
  sum_.resize(length);
  for (std::size_t index = 0; index < length; ++index) {
    const std::uint32_t base = base_value(index, round);
    base_[index] = static_cast<float>(base);
    sum_[index] = static_cast<float>(base * static_cast<std::uint32_t>(ranks) +
                                     weights[index % kWeightPeriod]);
  }
}

void Pattern::write_input(std::size_t rank, std::size_t offset, std::span<float> out) const {
  std::array<float, kWeightPeriod> weights{};
  for (std::size_t place = 0; place < kWeightPeriod; ++place) {
    weights[place] = static_cast<float>(weight(rank, place));
  }
  const std::size_t first = std::min(out.size(), base_.size());
  split_by_period(offset, first, base_.size(),
                  [&](std::size_t place, std::size_t done, std::size_t part) {
                    std::size_t cycle = place % kWeightPeriod;
                    for (std::size_t i = 0; i < part; ++i) {
                      out[done + i] = base_[place + i] + weights[cycle];
                      if (++cycle == kWeightPeriod) cycle = 0;
                    }
                  });
  // From there on it repeats, which is cheaper to copy.
  for (std::size_t done = first; done < out.size();) {
    const std::size_t part = std::min(done, out.size() - done);
    std::memcpy(&out[done], out.data(), part * sizeof(float));
    done += part;
  }
}

void Pattern::write_sum(std::size_t offset, std::span<float> out) const {
  split_by_period(offset, out.size(), sum_.size(),
                  [&](std::size_t place, std::size_t done, std::size_t part) {
                    std::memcpy(&out[done], &sum_[place], part * sizeof(float));
                  });
}

void Pattern::write_result(const Collective& collective, std::size_t rank, std::size_t offset,
                           std::span<float> out) const {
  switch (collective.operation) {
    case Operation::kAllReduce:
    case Operation::kReduce:
      return write_sum(offset, out);
    case Operation::kReduceScatter:
      return write_sum(rank * collective.count + offset, out);
    case Operation::kBroadcast:
      return write_input(collective.root, offset, out);
    case Operation::kSendRecv:
      return write_input((rank + ranks_ - 1) % ranks_, offset, out);
    case Operation::kPingPong:
      return write_input(pingpong_partner(rank, ranks_).value_or(rank), offset, out);
    case Operation::kAllGather:
    case Operation::kAllToAll:
      break;
  }
  const std::size_t begin =
      collective.operation == Operation::kAllToAll ? rank * collective.count : 0;
  split_by_period(offset, out.size(), collective.count,
                  [&](std::size_t place, std::size_t done, std::size_t part) {
                    const std::size_t source = (offset + done) / collective.count;
                    write_input(source, begin + place, out.subspan(done, part));
                  });
}

std::size_t result_count(const Collective& collective, std::size_t rank, std::size_t ranks) {
  if (collective.operation == Operation::kReduce && rank != collective.root) return 0;
  if (!takes_part(collective.operation, rank, ranks)) return 0;
  return shape_of(collective, ranks).output;
}

std::uint64_t count_differences(std::span<const float> actual, std::span<const float> expected) {
  MUSTER_CHECK(actual.size() == expected.size());
  if (actual.empty() || std::memcmp(actual.data(), expected.data(), actual.size_bytes()) == 0) {
    return 0;
  }
  std::uint64_t wrong = 0;
  for (std::size_t index = 0; index < actual.size(); ++index) {
    wrong += std::bit_cast<std::uint32_t>(actual[index]) !=
             std::bit_cast<std::uint32_t>(expected[index]);
  }
  return wrong;
}

}  // namespace muster::bench
