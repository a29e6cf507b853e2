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

}  // namespace

Pattern::Pattern(std::size_t rank, std::size_t ranks, std::size_t count, std::uint32_t round) {
  MUSTER_CHECK(rank < ranks && ranks <= kMaxRanks);
  std::array<std::uint32_t, kWeightPeriod> own{};
  std::array<std::uint32_t, kWeightPeriod> sum{};
  for (std::size_t place = 0; place < kWeightPeriod; ++place) {
    own[place] = weight(rank, place);
    for (std::size_t member = 0; member < ranks; ++member) sum[place] += weight(member, place);
  }
  const std::size_t length = std::min(count, kPatternPeriod);
  input_.resize(length);
  expected_.resize(length);
  for (std::size_t index = 0; index < length; ++index) {
    const std::uint32_t base = base_value(index, round);
    const std::size_t place = index % kWeightPeriod;
    input_[index] = static_cast<float>(base + own[place]);
    expected_[index] = static_cast<float>(base * static_cast<std::uint32_t>(ranks) + sum[place]);
  }
}

void repeat_over(std::span<const float> period, std::span<float> out) {
  while (!out.empty()) {
    const std::size_t part = std::min(period.size(), out.size());
    std::copy_n(period.begin(), part, out.begin());
    out = out.subspan(part);
  }
}

std::uint64_t count_differences(std::span<const float> actual, std::span<const float> period,
                                std::size_t offset) {
  std::uint64_t wrong = 0;
  while (!actual.empty()) {
    const std::span<const float> want = period.subspan(offset % period.size());
    const std::size_t part = std::min(want.size(), actual.size());
    if (std::memcmp(actual.data(), want.data(), part * sizeof(float)) != 0) {
      for (std::size_t index = 0; index < part; ++index) {
        wrong += std::bit_cast<std::uint32_t>(actual[index]) !=
                 std::bit_cast<std::uint32_t>(want[index]);
      }
    }
    actual = actual.subspan(part);
    offset += part;
  }
  return wrong;
}

}  // namespace muster::bench
