#include "collectives-bench/profile/map_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "collectives-bench/profile/profile_parser.h"
#include "collectives-bench/sizes.h"

namespace muster::bench {

namespace {

std::string shown(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNothing:
      return "nothing";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
    case YamlNode::Kind::kText:
      break;
  }
  return "'" + shown_text(node.text) + "'";
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t i = 0; i <= b.size(); ++i) row[i] = i;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({changed, row[j - 1] + 1, corner + 1});
    }
  }
  return row[b.size()];
}

std::string advice(std::string_view key, const std::vector<std::string_view>& known) {
  const std::string_view* best = nullptr;
  std::size_t least = 4;  // further away is no misspelling
  for (const std::string_view& one : known) {
    const std::size_t steps = distance(key.substr(0, kMaxShown), one);
    if (steps < least && steps < one.size()) {
      least = steps;
      best = &one;
    }
  }
  return best != nullptr ? fmt::format(": write '{}'", *best) : ": remove it";
}

}  // namespace

void Complaints::add(YamlPlace place, const std::string& what) {
  if (count_++ == 0) first_ = at_place(file_, place, what);
}

std::string Complaints::text() const {
  if (count_ < 2) return first_;
  return fmt::format("{} (and {} more error{})", first_, count_ - 1, count_ == 2 ? "" : "s");
}

MapReader::MapReader(const YamlNode& node, std::string what,
                     std::initializer_list<std::string_view> known, Complaints& complaints)
    : node_(node), what_(std::move(what)), complaints_(complaints) {
  if (node_.kind != YamlNode::Kind::kMap) {
    complaints_.add(node_.place, fmt::format("{}: {} is given; expected a map with the keys {}",
                                             what_, shown(node_), fmt::join(known, ", ")));
    return;
  }
  const std::vector<std::string_view> names(known);
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; i + 1 < node_.items.size(); i += 2) {
    const YamlNode& key = node_.items[i];
    if (key.kind != YamlNode::Kind::kText ||
        std::find(names.begin(), names.end(), key.text) == names.end()) {
      complaints_.add(
          key.place, fmt::format("{}: the key {} is given; expected one of {}{}", what_, shown(key),
                                 fmt::join(known, ", "), advice(key.text, names)));
    } else if (std::find(seen.begin(), seen.end(), key.text) != seen.end()) {
      complaints_.add(key.place, fmt::format("{}: the key '{}' is given twice; expected once: "
                                             "remove one of them",
                                             what_, key.text));
    } else {
      seen.push_back(key.text);
    }
  }
}

const YamlNode* MapReader::find(std::string_view key, bool is_required) {
  if (node_.kind != YamlNode::Kind::kMap) return nullptr;
  for (std::size_t i = 0; i + 1 < node_.items.size(); i += 2) {
    if (node_.items[i].kind == YamlNode::Kind::kText && node_.items[i].text == key) {
      return &node_.items[i + 1];
    }
  }
  if (is_required) {
    complaints_.add(node_.place, fmt::format("{}: no '{}' is given; expected one: write '{}: ...'",
                                             what_, key, key));
  }
  return nullptr;
}

std::string MapReader::text(std::string_view key, bool is_required) {
  const YamlNode* const node = find(key, is_required);
  if (node == nullptr) return {};
  return read_text(*node, fmt::format("{}.{}", what_, key), complaints_).value_or("");
}

std::optional<std::uint32_t> MapReader::whole(std::string_view key, std::uint32_t least,
                                              std::uint32_t most, bool is_required) {
  const YamlNode* const node = find(key, is_required);
  if (node == nullptr) return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = node->text.data() + node->text.size();
  const auto read = std::from_chars(node->text.data(), end, value);
  if (node->kind == YamlNode::Kind::kText && read.ec == std::errc() && read.ptr == end &&
      value >= least && value <= most) {
    return value;
  }
  complaints_.add(node->place,
                  fmt::format("{}.{}: {} is given; expected a whole number of {} to {}", what_, key,
                              shown(*node), least, most));
  return std::nullopt;
}

std::optional<double> MapReader::number(std::string_view key, double least, double most) {
  const YamlNode* const node = find(key, true);
  if (node == nullptr) return std::nullopt;
  double value = 0;
  const char* const end = node->text.data() + node->text.size();
  const auto read = std::from_chars(node->text.data(), end, value);
  if (node->kind == YamlNode::Kind::kText && read.ec == std::errc() && read.ptr == end &&
      std::isfinite(value) && value >= least && value <= most) {
    return value;
  }
  complaints_.add(node->place, fmt::format("{}.{}: {} is given; expected a number of {} to {}",
                                           what_, key, shown(*node), least, most));
  return std::nullopt;
}

std::optional<std::uint64_t> MapReader::size(std::string_view key) {
  const YamlNode* const node = find(key, true);
  if (node == nullptr) return std::nullopt;
  if (node->kind == YamlNode::Kind::kText) {
    const Result<std::uint64_t> bytes = parse_bytes(node->text);
    if (bytes && *bytes > 0) return *bytes;
  }
  complaints_.add(node->place, fmt::format("{}.{}: {} is given; expected a size such as 64M or 1G",
                                           what_, key, shown(*node)));
  return std::nullopt;
}

bool MapReader::truth(std::string_view key) {
  const YamlNode* const node = find(key);
  if (node == nullptr) return false;
  if (node->kind == YamlNode::Kind::kText && node->text == "true") return true;
  if (node->kind != YamlNode::Kind::kText || node->text != "false") {
    complaints_.add(node->place, fmt::format("{}.{}: {} is given; expected true or false", what_,
                                             key, shown(*node)));
  }
  return false;
}

const std::vector<YamlNode>& MapReader::list(std::string_view key, bool is_required) {
  static const std::vector<YamlNode> kNone;
  const YamlNode* const node = find(key, is_required);
  if (node == nullptr) return kNone;
  if (node->kind == YamlNode::Kind::kList && node->items.size() <= kMaxProfileItems) {
    return node->items;
  }
  complaints_.add(node->place,
                  fmt::format("{}.{}: {} is given; expected a list of at most {} items", what_, key,
                              shown(*node), kMaxProfileItems));
  return kNone;
}

std::optional<std::string> read_text(const YamlNode& node, const std::string& what,
                                     Complaints& complaints) {
  const bool is_plain = node.kind == YamlNode::Kind::kText && !node.text.empty() &&
                        node.text.size() <= kMaxProfileText &&
                        std::none_of(node.text.begin(), node.text.end(), [](char c) {
                          return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                        });
  if (is_plain) return node.text;
  complaints.add(node.place,
                 fmt::format("{}: {} is given; expected one line of text, of at most {} "
                             "characters",
                             what, shown(node), kMaxProfileText));
  return std::nullopt;
}

}  // namespace muster::bench
