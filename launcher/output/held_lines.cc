#include "launcher/output/held_lines.h"

#include <iterator>
#include <utility>

namespace muster::output {

void HeldLines::add(std::string line) {
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  while (lines_.size() > kLines || (bytes_ > kBytes && lines_.size() > 1)) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
    ++dropped_;
    ++dropped_ever_;
  }
}

HeldLines::Taken HeldLines::take() {
  Taken taken;
  taken.dropped = std::exchange(dropped_, 0);
  taken.lines.assign(std::make_move_iterator(lines_.begin()),
                     std::make_move_iterator(lines_.end()));
  lines_.clear();
  bytes_ = 0;
  return taken;
}

}  // namespace muster::output
