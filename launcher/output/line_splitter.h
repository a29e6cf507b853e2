// LineSplitter: bytes of one stream -> pieces that are lines, or parts of lines. Pure.
//
// A line longer than the limit is cut (between UTF-8 characters where there are any); a line
// without an end is given out after `kIdle` of silence or at the end of the stream. A carriage
// return not followed by a newline ends a line too: progress bars are lines of their own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/time.h"

namespace muster::output {

struct Piece {
  std::string text;        // without the line's end
  bool continues = false;  // goes on with the line of the piece before
  bool ends_line = true;   // false: the next piece continues this one
  bool operator==(const Piece&) const = default;
};

class LineSplitter {
 public:
  static constexpr Duration kIdle{200};

  // A piece's text is at most `limit` bytes (>= 8).
  explicit LineSplitter(std::size_t limit) : limit_(limit) {}

  std::vector<Piece> feed(std::string_view bytes, TimePoint now);
  // Gives out a partial line that has been idle for kIdle.
  std::vector<Piece> tick(TimePoint now);
  // The stream has ended.
  std::vector<Piece> finish();
  std::optional<TimePoint> next_deadline() const;

 private:
  void give(std::string_view text, bool ends_line, std::vector<Piece>& pieces);
  void cut_long(std::string_view& rest, std::vector<Piece>& pieces);

  std::size_t limit_;
  std::string partial_;
  bool in_line_ = false;       // a piece of the present line was given out
  bool after_return_ = false;  // the last byte was a carriage return, its line is given out
  TimePoint last_feed_{};
};

}  // namespace muster::output
