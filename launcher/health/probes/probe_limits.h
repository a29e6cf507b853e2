// The numbers that probes compare with, and where they come from. Pure.
#pragma once

#include <cstdint>

namespace muster::health {

inline constexpr std::uint64_t kMebi = 1ULL << 20;
inline constexpr std::uint64_t kGibi = 1ULL << 30;

// A GPU nobody uses shows a few MiB; the context of a CUDA process alone takes hundreds.
inline constexpr std::uint64_t kStaleMemoryBytes = 64 * kMebi;
inline constexpr std::uint64_t kManyCorrected = 50'000'000;  // as Meta's GCM
inline constexpr std::uint64_t kHotCelsius = 85;             // as Meta's GCM
inline constexpr std::uint64_t kOldXidSeconds = 24 * 3600;  // older ones are history, and only warn
inline constexpr std::uint64_t kEfaMemlockBytes = 16 * kGibi;  // as AWS's health check
inline constexpr std::uint64_t kEnoughFiles = 65'536;
inline constexpr std::uint64_t kContainerShmBytes = 64 * kMebi;  // Docker's default: too small
inline constexpr std::uint64_t kEnoughShmBytes = 8 * kGibi;
inline constexpr std::uint64_t kFullDiskBytes = 1 * kGibi;
inline constexpr std::uint64_t kTightDiskBytes = 10 * kGibi;
// A worker's death is known everywhere within 0.1 s; with clocks further apart, logs and ends of
// two nodes can no longer be put in order. A time service keeps 10 ms without effort.
inline constexpr std::int64_t kClockOffsetWarnUs = 100'000;
// No time service runs there. munge refuses credentials that are 300 s old, storage services
// signatures of some minutes, and the times of checkpoint files lie.
inline constexpr std::int64_t kClockOffsetFailUs = 60'000'000;

}  // namespace muster::health
