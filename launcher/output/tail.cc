#include "launcher/output/tail.h"

#include <algorithm>

namespace muster::output {

void Tail::add(const Piece& piece) {
  if (piece.continues && !lines_.empty()) {
    lines_.back() += piece.text;
  } else {
    lines_.push_back(piece.text);
  }
  bytes_ += piece.text.size();
  trim();
}

void Tail::trim() {
  while (lines_.size() > 1 && (lines_.size() > kLines || bytes_ > kBytes)) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
  }
  if (bytes_ <= kBytes) return;
  lines_.front().erase(0, bytes_ - kBytes);  // one line alone: its end is kept
  bytes_ = kBytes;
}

std::vector<std::string> Tail::last(std::size_t count) const {
  const std::size_t given = std::min(count, lines_.size());
  return {lines_.end() - static_cast<std::ptrdiff_t>(given), lines_.end()};
}

}  // namespace muster::output
