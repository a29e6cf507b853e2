#include "collectives-bench/progress.h"

#include <fmt/format.h>

#include "collectives-bench/sizes.h"

namespace muster::bench {

namespace {

constexpr std::size_t kBarColumns = 24;
// A size takes as long as this many bytes even when it is empty: latency, barriers, verification.
constexpr double kBaseBytes = 1 << 20;

}  // namespace

std::optional<double> seconds_left(std::span<const std::uint64_t> sizes, std::size_t place,
                                   double seconds) {
  if (place == 0 || place > sizes.size()) return std::nullopt;
  double done = 0;
  double all = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double cost = static_cast<double>(sizes[i]) + kBaseBytes;
    all += cost;
    if (i < place) done += cost;
  }
  return seconds * (all - done) / done;
}

std::string progress_line(std::span<const std::uint64_t> sizes, std::size_t place, double seconds) {
  const std::size_t filled = place * kBarColumns / sizes.size();
  std::string line = fmt::format("[{}{}] {} of {}: {}", std::string(filled, '#'),
                                 std::string(kBarColumns - filled, '.'), place + 1, sizes.size(),
                                 bytes_text(sizes[place]));
  const auto left = seconds_left(sizes, place, seconds);
  if (left) line += fmt::format(", about {:.0f} s left", *left);
  return line.substr(0, 79);
}

}  // namespace muster::bench
