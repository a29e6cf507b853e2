// MapReader: takes the known keys out of one YAML map and tells of all that does not fit. Of use to
// profile_parser.cc only. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/profile/yaml_tree.h"

namespace muster::bench {

// What is wrong with a file: the first error is told, the others are counted.
class Complaints {
 public:
  explicit Complaints(std::string file) : file_(std::move(file)) {}

  void add(YamlPlace place, const std::string& what);
  bool any() const { return count_ > 0; }
  std::string text() const;  // one line

 private:
  std::string file_;
  std::string first_;
  std::size_t count_ = 0;
};

class MapReader {
 public:
  // `what` names the map in errors ("gpus"). Complains of a node that is no map, of keys that are
  // not in `known` and of keys given twice. `node` and `complaints` must outlive the reader.
  MapReader(const YamlNode& node, std::string what, std::initializer_list<std::string_view> known,
            Complaints& complaints);

  YamlPlace place() const { return node_.place; }
  // nullptr when absent; complains of that when `is_required`.
  const YamlNode* find(std::string_view key, bool is_required = false);

  std::string text(std::string_view key, bool is_required);
  std::optional<std::uint32_t> whole(std::string_view key, std::uint32_t least, std::uint32_t most,
                                     bool is_required);
  std::optional<double> number(std::string_view key, double least, double most);  // required
  std::optional<std::uint64_t> size(std::string_view key);                        // required
  bool truth(std::string_view key);                                               // absent: false
  // The items of a list; empty when absent or no list.
  const std::vector<YamlNode>& list(std::string_view key, bool is_required);

 private:
  const YamlNode& node_;
  std::string what_;
  Complaints& complaints_;
};

// A text without control characters, of at most kMaxProfileText characters.
std::optional<std::string> read_text(const YamlNode& node, const std::string& what,
                                     Complaints& complaints);

}  // namespace muster::bench
