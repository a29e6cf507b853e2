#include "collectives-bench/profile/profile_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "collectives-bench/profile/map_reader.h"

namespace muster::bench {

namespace {

constexpr std::uint32_t kMaxNodes = 65536;
constexpr std::uint32_t kMaxPerNode = 1024;  // GPUs, NICs, ranks
constexpr std::uint32_t kMaxOpenFiles = 1U << 30;
constexpr double kMaxBusbw = 1e6;  // GB/s
constexpr double kMaxTolerance = 0.99;
constexpr std::size_t kMaxName = 64;

ExpectedGpus read_gpus(const YamlNode& node, Complaints& complaints) {
  MapReader map(node, "gpus", {"model", "count", "nvlinks", "pcie_width", "pcie_generation"},
                complaints);
  return {.model = map.text("model", false),
          .count = map.whole("count", 0, kMaxPerNode, false),
          .nvlinks = map.whole("nvlinks", 0, 64, false),
          .pcie_width = map.whole("pcie_width", 1, 32, false),
          .pcie_generation = map.whole("pcie_generation", 1, 16, false)};
}

ExpectedHost read_host(const YamlNode& node, Complaints& complaints) {
  MapReader map(node, "host", {"nofile"}, complaints);
  return {map.whole("nofile", 1, kMaxOpenFiles, false)};
}

ExpectedNics read_nics(const YamlNode& node, Complaints& complaints) {
  MapReader map(node, "nics", {"kind", "count", "gbit_per_second"}, complaints);
  const YamlNode* const kind = map.find("kind", true);
  const std::string text = kind != nullptr ? kind->text : "any";
  if (text != "efa" && text != "any") {
    complaints.add(kind->place, fmt::format("nics.kind: '{}' is given; expected efa or any",
                                            text.substr(0, kMaxName)));
  }
  return {.is_efa = text == "efa",
          .count = map.whole("count", 0, kMaxPerNode, false),
          .gbit_per_second = map.whole("gbit_per_second", 1, 100'000, false)};
}

void read_sources(const YamlNode& node, Profile& profile, Complaints& complaints) {
  if (node.kind != YamlNode::Kind::kMap) {
    complaints.add(node.place, "sources: expected a map of short names: write 'name: https://...'");
    return;
  }
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const auto name = read_text(node.items[i], "sources", complaints);
    if (!name) continue;
    const auto text = read_text(node.items[i + 1], "sources." + *name, complaints);
    if (text && !profile.sources.emplace(*name, *text).second) {
      complaints.add(node.items[i].place,
                     fmt::format("sources: '{}' is given twice; expected once", *name));
    }
  }
}

std::string read_source(MapReader& map, const Profile& profile, Complaints& complaints) {
  std::string source = map.text("source", true);
  if (!source.empty() && profile.sources.count(source) == 0) {
    complaints.add(map.find("source")->place,
                   fmt::format("the source '{}' is given; expected a name under 'sources': add it "
                               "there",
                               source));
  }
  return source;
}

void read_points(MapReader& row_map, const Profile& profile, BusbwRow& row,
                 Complaints& complaints) {
  const std::vector<YamlNode>& nodes = row_map.list("points", true);
  for (const YamlNode& node : nodes) {
    MapReader map(node, "points", {"size", "busbw", "source", "step"}, complaints);
    BusbwPoint point;
    point.bytes = map.size("size").value_or(0);
    point.busbw = map.number("busbw", 1e-6, kMaxBusbw).value_or(0);
    point.source = read_source(map, profile, complaints);
    point.follows_step = map.truth("step");
    if (point.bytes == 0) continue;
    if (!row.points.empty() && row.points.back().bytes >= point.bytes) {
      complaints.add(map.place(),
                     "points: this size is not above the one before; expected "
                     "ascending sizes");
    }
    row.points.push_back(std::move(point));
  }
  if (nodes.empty()) {
    complaints.add(row_map.place(),
                   "busbw: no points are given; expected at least one: write "
                   "'points: [{size: 1G, busbw: 100, source: ...}]'");
  }
}

FigureKind read_kind(MapReader& map, Complaints& complaints) {
  const YamlNode* const node = map.find("kind", true);
  if (node == nullptr || node->text == "published") return FigureKind::kPublished;
  if (node->text != "recorded") {
    complaints.add(node->place,
                   fmt::format("busbw.kind: '{}' is given; expected published or recorded",
                               map.text("kind", false).substr(0, kMaxName)));
  }
  return FigureKind::kRecorded;
}

BusbwRow read_row(const YamlNode& node, const Profile& profile, Complaints& complaints) {
  MapReader map(
      node, "busbw",
      {"operation", "nodes", "ranks_per_node", "algorithm", "kind", "tolerance", "points"},
      complaints);
  BusbwRow row;
  if (node.kind != YamlNode::Kind::kMap) return row;
  row.operation = map.text("operation", true);
  row.nodes = map.whole("nodes", 1, kMaxNodes, true).value_or(1);
  const bool has_default = profile.gpus.count.value_or(0) > 0;
  row.ranks_per_node = map.whole("ranks_per_node", 1, kMaxPerNode, !has_default)
                           .value_or(profile.gpus.count.value_or(1));
  row.algorithm = map.text("algorithm", false);
  row.kind = read_kind(map, complaints);
  row.tolerance = map.number("tolerance", 0, kMaxTolerance).value_or(0);
  read_points(map, profile, row, complaints);
  return row;
}

bool is_variable_name(const std::string& name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

EnvironmentSetting read_setting(const YamlNode& node, const Profile& profile,
                                Complaints& complaints) {
  MapReader map(node, "environment", {"name", "value", "reason", "source"}, complaints);
  EnvironmentSetting setting;
  if (node.kind != YamlNode::Kind::kMap) return setting;
  setting.name = map.text("name", true);
  if (!setting.name.empty() && !is_variable_name(setting.name)) {
    complaints.add(map.find("name")->place,
                   fmt::format("environment.name: '{}' is given; expected letters, digits and '_'",
                               setting.name));
  }
  setting.value = map.text("value", true);
  setting.reason = map.text("reason", true);
  setting.source = read_source(map, profile, complaints);
  return setting;
}

Profile read_profile(const YamlNode& root, Complaints& complaints) {
  MapReader map(
      root, "profile",
      {"profile", "instance_types", "gpus", "nics", "host", "sources", "busbw", "environment"},
      complaints);
  Profile profile;
  profile.name = map.text("profile", true);
  if (profile.name.size() > kMaxName) {
    complaints.add(map.find("profile")->place,
                   fmt::format("profile: {} characters are given; expected at most {}",
                               profile.name.size(), kMaxName));
  }
  for (const YamlNode& node : map.list("instance_types", false)) {
    if (auto type = read_text(node, "instance_types", complaints)) {
      profile.instance_types.push_back(std::move(*type));
    }
  }
  if (const YamlNode* node = map.find("gpus")) profile.gpus = read_gpus(*node, complaints);
  if (const YamlNode* node = map.find("nics")) profile.nics = read_nics(*node, complaints);
  if (const YamlNode* node = map.find("host")) profile.host = read_host(*node, complaints);
  if (const YamlNode* node = map.find("sources")) read_sources(*node, profile, complaints);
  for (const YamlNode& node : map.list("busbw", false)) {
    profile.busbw.push_back(read_row(node, profile, complaints));
  }
  for (const YamlNode& node : map.list("environment", false)) {
    profile.environment.push_back(read_setting(node, profile, complaints));
  }
  return profile;
}

}  // namespace

Result<Profile> parse_profile(const std::string& file, std::string_view text) {
  MUSTER_TRY(root, parse_yaml(file, text));
  Complaints complaints(file);
  Profile profile = read_profile(root, complaints);
  if (complaints.any()) return failure(ErrorCode::kInvalidArgument, complaints.text());
  return profile;
}

}  // namespace muster::bench
