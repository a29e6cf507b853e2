#include "collectives-bench/progress.h"

#include <fmt/format.h>

#include "collectives-bench/sizes.h"

namespace muster::bench {

namespace {

constexpr std::size_t kBarColumns = 16;
// An operation takes as long as this many bytes even when it is empty: latency, barriers.
constexpr double kBaseBytes = 1 << 16;
// To make the data of a verified operation and to compare them takes as long as to move them again.
constexpr double kVerifyFactor = 4;

double cost_of(const Step& step) {
  const double one = static_cast<double>(step.bytes) + kBaseBytes;
  return one * step.operations * (step.phase == Phase::kVerify ? kVerifyFactor : 1);
}

struct Cost {
  double done = 0;
  double all = 0;
};

Cost cost_until(std::span<const Step> steps, std::size_t place) {
  Cost cost;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    cost.all += cost_of(steps[i]);
    if (i < place) cost.done += cost_of(steps[i]);
  }
  return cost;
}

const char* deed_of(const Step& step) {
  const bool in_place = step.placement == Placement::kInPlace;
  if (step.phase == Phase::kWarmup) return in_place ? "warm-up in place" : "warm-up";
  if (step.phase == Phase::kVerify) return in_place ? "verified in place" : "verified";
  return in_place ? "timed in place" : "timed";
}

}  // namespace

std::optional<double> seconds_left(std::span<const Step> steps, std::size_t place, double seconds) {
  if (place == 0 || place > steps.size()) return std::nullopt;
  const Cost cost = cost_until(steps, place);
  return seconds * (cost.all - cost.done) / cost.done;
}

std::string progress_line(std::span<const Step> steps, std::span<const std::string> nics,
                          std::size_t place, double seconds) {
  const Step& step = steps[place];
  const Cost cost = cost_until(steps, place);
  const auto filled = static_cast<std::size_t>(kBarColumns * cost.done / cost.all);
  std::string line = fmt::format("[{}{}] {} of {}: {}, {}", std::string(filled, '#'),
                                 std::string(kBarColumns - filled, '.'), place + 1, steps.size(),
                                 bytes_text(step.bytes), deed_of(step));
  if (!nics[step.nic].empty()) line += fmt::format(", {}", nics[step.nic]);
  line += fmt::format(", {:.0f} s", seconds);
  const auto left = seconds_left(steps, place, seconds);
  if (left) line += fmt::format(", about {:.0f} s left", *left);
  return line;
}

std::string LiveView::draw(std::span<const std::string> lines) {
  std::string text = erase();
  for (const std::string& line : lines) {
    text += fmt::format("{}{}", drawn_ == 0 ? "" : "\n", line.substr(0, columns_));
    ++drawn_;
  }
  return text;
}

// To the first of the lines, and away with all below.
std::string LiveView::erase() {
  if (drawn_ == 0) return "";
  const std::string up = drawn_ > 1 ? fmt::format("\x1b[{}A", drawn_ - 1) : "";
  drawn_ = 0;
  return fmt::format("\r{}\x1b[J", up);
}

}  // namespace muster::bench
