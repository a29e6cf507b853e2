// HeldLines: what a stream says while its destination takes nothing: the last lines are kept, older
// ones are given back, and counted where they are dropped. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace muster::output {

class HeldLines {
 public:
  static constexpr std::size_t kLines = 200;
  static constexpr std::size_t kBytes = 256 * 1024;

  void add(std::string line);
  // The oldest line, if there are more than may be kept.
  std::optional<std::string> take_excess();
  void count_dropped(std::size_t lines);

  struct Taken {
    std::size_t dropped = 0;  // before the first of `lines`
    std::vector<std::string> lines;
  };
  // Empties it.
  Taken take();

  std::size_t dropped() const { return dropped_; }
  bool empty() const { return lines_.empty() && dropped_ == 0; }
  std::size_t dropped_ever() const { return dropped_ever_; }

 private:
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  std::size_t dropped_ = 0;
  std::size_t dropped_ever_ = 0;
};

}  // namespace muster::output
