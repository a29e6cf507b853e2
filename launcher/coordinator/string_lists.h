// Lists of strings in the messages between coordinator and agents: a count (u32), then each. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/bytes.h"

namespace muster::launcher {

inline void write_strings(ByteWriter& writer, const std::vector<std::string>& strings) {
  writer.u32(static_cast<std::uint32_t>(strings.size()));
  for (const std::string& string : strings) writer.string(string);
}

// At most `most` strings of at most `longest` bytes; beyond that the reader has failed.
inline std::vector<std::string> read_strings(ByteReader& reader, std::uint32_t most,
                                             std::size_t longest) {
  std::vector<std::string> strings;
  const std::uint32_t count = reader.count(most);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    strings.emplace_back(reader.string(longest));
  }
  return strings;
}

}  // namespace muster::launcher
