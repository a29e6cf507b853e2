#include "launcher/output/line_splitter.h"

namespace muster::output {
namespace {

constexpr std::size_t kLongestCharacter = 4;  // of UTF-8, in bytes

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// The largest cut of `text` at or below `limit` that tears no UTF-8 character. Bytes that are no
// UTF-8 are cut at the limit.
std::size_t cut_at(std::string_view text, std::size_t limit) {
  std::size_t cut = limit;
  while (cut > limit - kLongestCharacter && continues_character(text[cut])) --cut;
  return continues_character(text[cut]) ? limit : cut;
}

}  // namespace

std::vector<Piece> LineSplitter::feed(std::string_view bytes, TimePoint now) {
  std::vector<Piece> pieces;
  if (bytes.empty()) return pieces;
  last_feed_ = now;
  if (after_return_ && bytes.front() == '\n') bytes.remove_prefix(1);
  after_return_ = false;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\r\n");
    partial_.append(bytes.substr(0, end));
    if (end == std::string_view::npos) break;
    const bool returned = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (!returned || !partial_.empty()) give(partial_, true, pieces);
    partial_.clear();
    if (!returned) continue;
    if (bytes.empty()) {
      after_return_ = true;
    } else if (bytes.front() == '\n') {
      bytes.remove_prefix(1);
    }
  }
  std::string_view rest(partial_);
  cut_long(rest, pieces);
  partial_.erase(0, partial_.size() - rest.size());
  return pieces;
}

std::vector<Piece> LineSplitter::tick(TimePoint now) {
  std::vector<Piece> pieces;
  if (partial_.empty() || now < last_feed_ + kIdle) return pieces;
  give(partial_, false, pieces);
  partial_.clear();
  return pieces;
}

std::vector<Piece> LineSplitter::finish() {
  std::vector<Piece> pieces;
  if (!partial_.empty()) give(partial_, true, pieces);
  partial_.clear();
  in_line_ = false;
  return pieces;
}

std::optional<TimePoint> LineSplitter::next_deadline() const {
  if (partial_.empty()) return std::nullopt;
  return last_feed_ + kIdle;
}

void LineSplitter::cut_long(std::string_view& rest, std::vector<Piece>& pieces) {
  while (rest.size() > limit_) {
    const std::size_t cut = cut_at(rest, limit_);
    pieces.push_back({std::string(rest.substr(0, cut)), in_line_, false});
    in_line_ = true;
    rest.remove_prefix(cut);
  }
}

void LineSplitter::give(std::string_view text, bool ends_line, std::vector<Piece>& pieces) {
  cut_long(text, pieces);
  // Nothing but the end of a line whose pieces are out already makes no piece of its own.
  if (!text.empty() || !in_line_) pieces.push_back({std::string(text), in_line_, ends_line});
  in_line_ = !ends_line;
}

}  // namespace muster::output
