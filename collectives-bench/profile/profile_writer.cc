#include <fmt/format.h>

#include <string>

#include "collectives-bench/profile/profile_parser.h"

namespace muster::bench {

namespace {

// In double quotes, so that no text is taken for a number, a comment or a key.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string size_text(std::uint64_t bytes) {
  if (bytes % (1ULL << 30) == 0) return fmt::format("{}G", bytes >> 30);
  if (bytes % (1ULL << 20) == 0) return fmt::format("{}M", bytes >> 20);
  return fmt::format("{}", bytes);
}

void write_whole(std::string& out, const char* key, const std::optional<std::uint32_t>& value) {
  if (value) out += fmt::format("  {}: {}\n", key, *value);
}

void write_machine(std::string& out, const Profile& profile) {
  const ExpectedGpus& gpus = profile.gpus;
  if (gpus != ExpectedGpus{}) {
    out += "gpus:\n";
    if (!gpus.model.empty()) out += fmt::format("  model: {}\n", quoted(gpus.model));
    write_whole(out, "count", gpus.count);
    write_whole(out, "nvlinks", gpus.nvlinks);
    write_whole(out, "pcie_width", gpus.pcie_width);
    write_whole(out, "pcie_generation", gpus.pcie_generation);
  }
  const ExpectedNics& nics = profile.nics;
  out += fmt::format("nics:\n  kind: {}\n", nics.is_efa ? "efa" : "any");
  write_whole(out, "count", nics.count);
  write_whole(out, "gbit_per_second", nics.gbit_per_second);
  if (profile.host != ExpectedHost{}) out += "host:\n";
  write_whole(out, "nofile", profile.host.nofile);
}

void write_row(std::string& out, const BusbwRow& row) {
  out += fmt::format("  - operation: {}\n    nodes: {}\n    ranks_per_node: {}\n",
                     quoted(row.operation), row.nodes, row.ranks_per_node);
  if (!row.algorithm.empty()) out += fmt::format("    algorithm: {}\n", quoted(row.algorithm));
  out += fmt::format("    kind: {}\n    tolerance: {}\n    points:\n", to_string(row.kind),
                     row.tolerance);
  for (const BusbwPoint& point : row.points) {
    out += fmt::format("      - {{size: {}, busbw: {}, source: {}{}}}\n", size_text(point.bytes),
                       point.busbw, quoted(point.source), point.follows_step ? ", step: true" : "");
  }
}

}  // namespace

std::string write_profile(const Profile& profile) {
  std::string out = fmt::format("profile: {}\n", quoted(profile.name));
  if (!profile.instance_types.empty()) {
    out += "instance_types:\n";
    for (const std::string& type : profile.instance_types) {
      out += fmt::format("  - {}\n", quoted(type));
    }
  }
  write_machine(out, profile);
  if (!profile.sources.empty()) out += "sources:\n";
  for (const auto& [name, text] : profile.sources) {
    out += fmt::format("  {}: {}\n", quoted(name), quoted(text));
  }
  if (!profile.busbw.empty()) out += "busbw:\n";
  for (const BusbwRow& row : profile.busbw) write_row(out, row);
  if (!profile.environment.empty()) out += "environment:\n";
  for (const EnvironmentSetting& setting : profile.environment) {
    out += fmt::format("  - name: {}\n    value: {}\n    reason: {}\n    source: {}\n",
                       quoted(setting.name), quoted(setting.value), quoted(setting.reason),
                       quoted(setting.source));
  }
  return out;
}

}  // namespace muster::bench
