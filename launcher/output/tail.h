// Tail: the last lines of one stream of one rank, bounded in lines and bytes, for the verdict.
// Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "launcher/output/line_splitter.h"

namespace muster::output {

class Tail {
 public:
  static constexpr std::size_t kLines = 200;
  static constexpr std::size_t kBytes = 64 * 1024;

  void add(const Piece& piece);

  // The last lines, oldest first, at most `count`.
  std::vector<std::string> last(std::size_t count = kLines) const;
  std::size_t bytes() const { return bytes_; }

 private:
  void trim();

  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
};

}  // namespace muster::output
