// What stands before each line on the console, and how a piece becomes a line there. Pure.
#pragma once

#include <string>
#include <string_view>

#include "launcher/output/line_splitter.h"
#include "rendezvous/base/ids.h"

namespace muster::output {

// Before a piece that continues the line above of the same rank.
inline constexpr std::string_view kContinuationMark = "... ";
// slurmstepd tears lines above this many bytes, the newline included.
inline constexpr std::size_t kSlurmWrite = 1024;

inline constexpr std::string_view kDefaultPrefix = "[${host} ${rank}] ";

struct PrefixFields {
  std::string host;
  Rank rank{};
  LocalRank local_rank{};
  std::string role_name = "default";
};

// Fills ${host}, ${hostname}, ${rank}, ${local_rank} and ${role_name}; an unknown ${name} stays as
// it is. At most 128 bytes; more is cut. With colour, the prefix is painted in a colour that is the
// rank's own.
std::string expand_prefix(std::string_view format, const PrefixFields& fields, bool colour);

// The most text a piece may hold so that its console line fits in `line_limit` bytes.
std::size_t piece_limit(std::string_view prefix, std::size_t line_limit);

// prefix, mark if it continues, text, newline.
std::string console_line(std::string_view prefix, const Piece& piece);

}  // namespace muster::output
