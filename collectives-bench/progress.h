// Progress: what a terminal shows while a sweep runs: the rows so far, the one under way, and a bar
// with what is measured now and how long it will take. Pure: gives text, prints nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectives-bench/measure.h"

namespace muster::bench {

// What is left at steps[place] and after it, when the steps before it took `seconds`: in proportion
// to the bytes that they move, with a base for each operation. Empty before the first is done.
std::optional<double> seconds_left(std::span<const Step> steps, std::size_t place, double seconds);

// "[####......] 4 of 40: 64 MiB, timed in place, eth0, 3 s, about 12 s left".
std::string progress_line(std::span<const Step> steps, std::span<const std::string> nics,
                          std::size_t place, double seconds);

// Lines at the bottom of a terminal that are drawn over again. Text with control sequences, for one
// write; every line is cut to the terminal's width, for a line that wraps could not be taken back.
class LiveView {
 public:
  explicit LiveView(std::size_t columns) : columns_(columns) {}

  std::string draw(std::span<const std::string> lines);  // instead of what was drawn before
  std::string erase();                                   // "" when nothing is drawn

 private:
  std::size_t columns_;
  std::size_t drawn_ = 0;  // lines; the cursor is behind the last
};

}  // namespace muster::bench
