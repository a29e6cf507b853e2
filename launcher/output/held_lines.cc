#include "launcher/output/held_lines.h"

#include <iterator>
#include <utility>

namespace muster::output {

void HeldLines::add(std::string line) {
  bytes_ += line.size();
  lines_.push_back(std::move(line));
}

std::optional<std::string> HeldLines::take_excess() {
  if (lines_.size() <= kLines && (bytes_ <= kBytes || lines_.size() <= 1)) return std::nullopt;
  std::string oldest = std::move(lines_.front());
  lines_.pop_front();
  bytes_ -= oldest.size();
  return oldest;
}

void HeldLines::count_dropped(std::size_t lines) {
  dropped_ += lines;
  dropped_ever_ += lines;
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
