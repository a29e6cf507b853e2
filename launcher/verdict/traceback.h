// Finds the last Python traceback in the last lines that a worker wrote to stderr. Pure.
//
// Understands torch's "[rank5]: " before each line, a beginning that scrolled out of the tail, and
// a SyntaxError (which has no "Traceback" line).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace muster::verdict {

struct Traceback {
  std::size_t first = 0;   // line of "Traceback (most recent call last):", or of the first frame
  std::size_t last = 0;    // line that names the exception; its message may go on below
  std::string final_line;  // "ValueError: boom", without a "[rank5]: "

  bool operator==(const Traceback&) const = default;
};

std::optional<Traceback> find_last_traceback(std::span<const std::string> lines);

// The line without a leading "[rank5]: ".
std::string_view without_rank_mark(std::string_view line);

}  // namespace muster::verdict
