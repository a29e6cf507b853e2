// YamlTree: a YAML document as plain values, each with its place. The one user of yaml-cpp.
//
// Aliases, tags and more than one document are refused: a profile needs none, and an alias can blow
// a short file up to gigabytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr std::size_t kMaxYamlBytes = 256U << 10;  // of one file
inline constexpr std::size_t kMaxYamlDepth = 16;
inline constexpr std::size_t kMaxShown = 60;  // of a text that is quoted in an error

struct YamlPlace {
  int line = 1;  // both count from 1
  int column = 1;
  bool operator==(const YamlPlace&) const = default;
};

struct YamlNode {
  enum class Kind { kNothing, kText, kList, kMap };
  Kind kind = Kind::kNothing;
  YamlPlace place;
  std::string text;             // of kText
  std::vector<YamlNode> items;  // of kList; of kMap: key, value, key, value ...
};

// Cut to kMaxShown, with '?' for control characters: errors go to a terminal.
std::string shown_text(std::string_view text);

// "file:3:7: what is wrong": `file` is only a name for it.
std::string at_place(const std::string& file, YamlPlace place, const std::string& what);

// kInvalidArgument with such a line; kLimit.
Result<YamlNode> parse_yaml(const std::string& file, std::string_view text);

}  // namespace muster::bench
