#include "launcher/health/probes/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "launcher/health/probes/probe_limits.h"
#include "rendezvous/text.h"

namespace muster::health {

namespace {

constexpr const char* kNone = "none";
constexpr const char* kNccl = "NCCL";
constexpr const char* kPlugIn = "plug-in";
constexpr const char* kNcclNetwork = "NCCL's network";
constexpr std::size_t kMaxGroups = 4;   // told of one fact
constexpr std::size_t kMaxValue = 120;  // characters of a value in a line
constexpr std::array<std::string_view, 6> kMustAgree = {kNccl,         "muster",        "GPUs",
                                                        "EFA devices", "instance type", "GPU"};
constexpr std::array<std::string_view, 3> kSettingPrefixes = {"NCCL_", "FI_", "OFI_"};

Answer weight_of(const std::string& fact) {
  return std::find(kMustAgree.begin(), kMustAgree.end(), fact) != kMustAgree.end() ? Answer::kFail
                                                                                   : Answer::kWarn;
}

std::string clean(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return rendezvous::clipped(std::move(text), kMaxValue);
}

// The largest first; of equals the one that is met first.
std::vector<FactGroup> group_hosts(const std::vector<NodeFacts>& nodes, const std::string& fact) {
  std::vector<FactGroup> groups;
  std::map<std::string, std::size_t> places;  // value -> its group
  for (const NodeFacts& node : nodes) {
    const auto found = node.facts.find(fact);
    const std::string value = found != node.facts.end() ? found->second : kNone;
    const auto [place, is_new] = places.emplace(value, groups.size());
    if (is_new) groups.push_back({value, {}});
    groups[place->second].hosts.push_back(node.host);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const FactGroup& a, const FactGroup& b) {
    return a.hosts.size() > b.hosts.size();
  });
  return groups;
}

std::vector<Disagreement> compare_clocks(const std::vector<NodeFacts>& nodes) {
  std::vector<Fact<ClockReading>> readings;
  for (const NodeFacts& node : nodes) readings.push_back(node.clock);
  const std::vector<Fact<ClockReading>> offsets = differences_from_median(readings);
  Disagreement clock{kClockFact, Answer::kWarn, true, {{"within 100 ms of each other", {}}}};
  std::size_t told = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!offsets[i].value) continue;
    ++told;
    if (!offsets[i].value->is_surely_beyond(kClockOffsetWarnUs)) {
      clock.groups.front().hosts.push_back(nodes[i].host);
    } else {
      const double seconds = static_cast<double>(offsets[i].value->us) / 1e6;
      clock.groups.push_back({fmt::format("{:+.1f} s off", seconds), {nodes[i].host}});
    }
  }
  if (clock.groups.size() == 1) return {};
  clock.has_majority = clock.groups.front().hosts.size() * 2 > told;
  if (!clock.has_majority) clock.groups.front().value = "0.0 s off";
  return {std::move(clock)};
}

std::string line_of(const Disagreement& one) {
  const FactGroup& first = one.groups.front();
  std::string line;
  const std::size_t start = one.has_majority ? 1 : 0;
  const std::size_t end = std::min(one.groups.size(), start + kMaxGroups);
  for (std::size_t i = start; i < end; ++i) {
    const FactGroup& group = one.groups[i];
    line += fmt::format("{}{}: {} {}", i > start ? "; " : "", rendezvous::fold_hosts(group.hosts),
                        one.fact, clean(group.value));
  }
  if (end < one.groups.size()) {
    std::size_t rest = 0;
    for (std::size_t i = end; i < one.groups.size(); ++i) rest += one.groups[i].hosts.size();
    line += fmt::format("; {} more differ too", rest);
  }
  if (one.has_majority) {
    return line + fmt::format(", {} other{} {}", first.hosts.size(),
                              first.hosts.size() == 1 ? "" : "s", clean(first.value));
  }
  return line + " (no majority, so nobody is to blame)";
}

}  // namespace

NodeFacts comparable_facts(const std::string& host, const HealthFacts& facts) {
  NodeFacts node{host, {}, {}};
  for (const auto& [name, version] : facts.versions) node.facts[name] = version;
  const auto keep = [&node](const char* name, const std::string& value) {
    if (!value.empty()) node.facts[name] = value;
  };
  keep(kNccl, facts.nccl.version);
  keep(kPlugIn, facts.nccl.plugin_version);
  keep(kNcclNetwork, facts.nccl.network);
  keep("instance type", facts.host.instance_type);
  if (facts.driver_problem.empty()) {
    node.facts["GPUs"] = std::to_string(facts.gpus.size());
    if (!facts.gpus.empty()) keep("GPU", facts.gpus.front().name);
  }
  if (!facts.host_problem.empty()) return node;
  if (facts.host.nics.value) {
    const auto& nics = *facts.host.nics.value;
    node.facts["EFA devices"] = std::to_string(
        std::count_if(nics.begin(), nics.end(), [](const NicFacts& nic) { return nic.is_efa(); }));
  }
  if (facts.host.memlock.value) node.facts["memlock"] = std::to_string(*facts.host.memlock.value);
  if (facts.host.nofile.value) node.facts["nofile"] = std::to_string(*facts.host.nofile.value);
  return node;
}

void forget_nccl(NodeFacts& node) {
  for (const char* name : {kNccl, kPlugIn, kNcclNetwork}) node.facts.erase(name);
}

void add_settings(const std::vector<std::pair<std::string, std::string>>& variables,
                  NodeFacts& node) {
  for (const auto& [name, value] : variables) {
    const bool is_wanted =
        name == "LD_LIBRARY_PATH" ||
        std::any_of(kSettingPrefixes.begin(), kSettingPrefixes.end(),
                    [&name](std::string_view prefix) { return name.starts_with(prefix); });
    if (is_wanted) node.facts[name] = value;
  }
}

std::vector<Disagreement> compare_nodes(const std::vector<NodeFacts>& nodes) {
  std::set<std::string> names;
  for (const NodeFacts& node : nodes) {
    for (const auto& [name, value] : node.facts) names.insert(name);
  }
  std::vector<Disagreement> found;
  for (const std::string& name : names) {
    std::vector<FactGroup> groups = group_hosts(nodes, name);
    if (groups.size() < 2) continue;
    const bool has_majority = groups.front().hosts.size() * 2 > nodes.size();
    found.push_back({name, weight_of(name), has_majority, std::move(groups)});
  }
  for (Disagreement& clock : compare_clocks(nodes)) found.push_back(std::move(clock));
  std::stable_sort(found.begin(), found.end(), [](const Disagreement& a, const Disagreement& b) {
    return a.answer == Answer::kFail && b.answer != Answer::kFail;
  });
  return found;
}

std::vector<std::string> odd_hosts(const std::vector<Disagreement>& disagreements) {
  std::set<std::string> hosts;
  for (const Disagreement& one : disagreements) {
    if (one.answer != Answer::kFail || !one.has_majority) continue;
    for (std::size_t i = 1; i < one.groups.size(); ++i) {
      hosts.insert(one.groups[i].hosts.begin(), one.groups[i].hosts.end());
    }
  }
  return {hosts.begin(), hosts.end()};
}

std::string print_disagreements(const std::vector<Disagreement>& disagreements) {
  std::string out;
  const std::size_t told = std::min(disagreements.size(), kMaxDisagreements);
  for (std::size_t i = 0; i < told; ++i) out += line_of(disagreements[i]) + '\n';
  if (told < disagreements.size()) {
    out += fmt::format("and {} more facts differ\n", disagreements.size() - told);
  }
  return out;
}

}  // namespace muster::health
