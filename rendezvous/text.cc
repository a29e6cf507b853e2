#include "rendezvous/text.h"

#include <algorithm>
#include <cstdint>
#include <map>

namespace muster::rendezvous {

namespace {

// Hosts that differ only in a number of the same width, counted up one by one.
struct Run {
  std::string prefix;
  std::string first;  // digits; empty for a name without a number
  std::string last;
  std::size_t hosts = 1;
};

// Splits at the digits that end the name; more than 9 of them are left as text.
Run run_of_one(const std::string& host) {
  std::size_t start = host.size();
  while (start > 0 && host[start - 1] >= '0' && host[start - 1] <= '9') --start;
  if (host.size() - start > 9) start = host.size();
  return {host.substr(0, start), host.substr(start), host.substr(start)};
}

bool is_successor(const std::string& digits, const std::string& before) {
  return !digits.empty() && digits.size() == before.size() &&
         std::stoul(digits) == std::stoul(before) + 1;
}

std::vector<Run> runs_of(const std::vector<std::string>& hosts) {
  std::vector<Run> runs;
  for (const std::string& host : hosts) {
    Run next = run_of_one(host);
    if (!runs.empty() && runs.back().prefix == next.prefix &&
        is_successor(next.first, runs.back().last)) {
      runs.back().last = next.last;
      ++runs.back().hosts;
    } else {
      runs.push_back(std::move(next));
    }
  }
  return runs;
}

std::string range_text(const Run& run) {
  return run.hosts == 1 ? run.first : run.first + "-" + run.last;
}

std::string tasks_text(const std::vector<std::uint32_t>& tasks) {
  std::string text;
  for (std::size_t i = 0; i < tasks.size();) {
    std::size_t last = i;
    while (last + 1 < tasks.size() && tasks[last + 1] == tasks[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(tasks[i]);
    if (last > i) text += '-' + std::to_string(tasks[last]);
    i = last + 1;
  }
  return (tasks.size() == 1 ? " (task " : " (tasks ") + text + ")";
}

bool uses_tasks(const std::vector<ExpectedMember>& members) {
  return std::any_of(members.begin(), members.end(),
                     [](const ExpectedMember& member) { return value_of(member.task) != 0; });
}

}  // namespace

std::string fold_hosts(const std::vector<std::string>& hosts) {
  const std::vector<Run> runs = runs_of(hosts);
  std::string list;
  std::size_t told = 0;
  for (std::size_t i = 0; i < runs.size() && list.size() < kMaxNames;) {
    std::size_t end = i + 1;
    std::string inside = range_text(runs[i]);
    told += runs[i].hosts;
    while (end < runs.size() && runs[end].prefix == runs[i].prefix && !runs[end].first.empty() &&
           list.size() + inside.size() < kMaxNames) {
      inside += "," + range_text(runs[end]);
      told += runs[end++].hosts;
    }
    if (!list.empty()) list += ',';
    const bool plain = end == i + 1 && runs[i].hosts == 1;
    list += runs[i].prefix + (plain ? inside : "[" + inside + "]");
    i = end;
  }
  if (told < hosts.size()) list += " and " + std::to_string(hosts.size() - told) + " more";
  return list;
}

std::string fold_members(const std::vector<ExpectedMember>& members,
                         const std::vector<ExpectedMember>& all) {
  const bool with_tasks = uses_tasks(all);
  std::map<std::pair<NodeIndex, std::string>, std::vector<std::uint32_t>> tasks_of_host;
  for (const ExpectedMember& member : members)
    tasks_of_host[{member.node, member.host}].push_back(value_of(member.task));
  // Hosts with the same tasks share a list; the lists stand in the order of their first host.
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  std::map<std::string, std::size_t> place;
  for (auto& [host, tasks] : tasks_of_host) {
    std::sort(tasks.begin(), tasks.end());
    const std::string suffix = with_tasks ? tasks_text(tasks) : std::string();
    const auto [entry, is_new] = place.try_emplace(suffix, lists.size());
    if (is_new) lists.emplace_back(suffix, std::vector<std::string>());
    lists[entry->second].second.push_back(host.second);
  }
  std::string text;
  std::size_t left_out = 0;
  for (const auto& [suffix, hosts] : lists) {
    if (text.size() >= kMaxNames) {
      left_out += hosts.size();
      continue;
    }
    if (!text.empty()) text += ", ";
    text += fold_hosts(hosts) + suffix;
  }
  if (left_out > 0) text += " and " + std::to_string(left_out) + " more hosts";
  return text;
}

std::string name_member(const Member& member) {
  std::string text = member.description.host;
  if (value_of(member.description.task) != 0)
    text += " task " + std::to_string(value_of(member.description.task));
  return text + " (member " + std::to_string(value_of(member.index)) + ")";
}

std::string seconds_text(Duration duration) {
  const auto ms = duration.count();
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) {
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    text += "." + fraction;
  }
  return text + " s";
}

std::string clipped(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  text.resize(limit - 3);
  return text + "...";
}

}  // namespace muster::rendezvous
