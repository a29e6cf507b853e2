// Makes one line that a terminal and srun can carry out of a program's bytes. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace muster::verdict {

// The first line of `text`, of a line rewritten by carriage returns (a progress bar) the last
// state; without colour sequences, control characters as '?', at most `limit` bytes (at least 3),
// the cut marked by "...".
std::string printable_line(std::string_view text, std::size_t limit);

// Without the newlines; a text that ends in one has no empty line after it.
std::vector<std::string> split_lines(std::string_view text);

}  // namespace muster::verdict
