// Texts and numbers as the page writes them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muster::report {

// For any place in HTML and SVG, attributes included. Control characters, and those that would turn
// the direction of the text around or are invisible, become U+FFFD.
std::string escape(std::string_view text);

// In GB/s with three or more digits, without the unit: "0.0211", "3.42", "97.4", "364".
std::string rate_text(double busbw);

// "0.8 s", "75 s", "12 min".
std::string seconds_text(double seconds);

// "512 KiB"; "1000 B" where no unit divides it.
std::string bytes_text(std::uint64_t bytes);

// 0.412 is "41 %", with a space that does not break. What is not all is never rounded up to 100 %.
std::string percent_text(double share);

// "1 node", "2 nodes".
std::string count_text(std::uint64_t count, std::string_view noun);

// Runs of numbered names in brackets, as Slurm writes them: "node[1-3,7], login". Not escaped.
std::string fold_hosts(const std::vector<std::string>& hosts);

}  // namespace muster::report
