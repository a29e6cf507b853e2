#include "launcher/plan/print_plan.h"

#include <algorithm>

namespace muster::plan {

namespace {

std::string quantity(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string span_of(std::uint64_t first, std::uint64_t last) {
  return std::to_string(first) + (first == last ? "" : "-" + std::to_string(last));
}

bool follows_alike(const NodePlan& left, const NodePlan& right) {
  return value_of(left.node) + 1 == value_of(right.node) && left.shape == right.shape &&
         left.devices == right.devices && left.gpus.size() == right.gpus.size();
}

std::string describe_devices(const NodePlan& node) {
  if (node.gpus.empty()) return "devices inherited, none seen";
  return quantity(node.gpus.size(), "GPU") + ", " + std::string(to_string(node.devices));
}

// Nodes [begin, end) of the plan, all alike.
std::string describe_nodes(const JobPlan& plan, std::size_t begin, std::size_t end) {
  const NodePlan& first = plan.nodes[begin];
  const NodePlan& last = plan.nodes[end - 1];
  const std::uint32_t first_rank = value_of(first.first_rank);
  const std::uint32_t last_rank = value_of(last.first_rank) + last.shape.slots() - 1;
  std::string line = "  " + span_of(value_of(first.node), value_of(last.node)) + "  " + first.host;
  if (end - begin > 1) {
    line += (end - begin > 2 ? " ... " : ", ") + last.host + " (" + quantity(end - begin, "node") +
            ", each:)";
  }
  return line + "  " + quantity(first.shape.agents, "agent") + " x " +
         quantity(first.shape.slots_per_agent, "worker") + "; ranks " +
         span_of(first_rank, last_rank) + "; " + describe_devices(first) + "\n";
}

std::string describe_all_nodes(const JobPlan& plan) {
  std::string lines;
  for (std::size_t begin = 0; begin < plan.nodes.size();) {
    std::size_t end = begin + 1;
    while (end < plan.nodes.size() && follows_alike(plan.nodes[end - 1], plan.nodes[end])) ++end;
    lines += describe_nodes(plan, begin, end);
    begin = end;
  }
  return lines;
}

std::string describe_environment(const Environment& agent, const Environment& worker) {
  std::vector<std::string> set;
  for (const auto& [name, value] : worker.variables()) {
    if (agent.get(name) != value) set.push_back("  " + name + "=" + quote_for_shell(value) + "\n");
  }
  std::sort(set.begin(), set.end());
  std::string text = "environment of rank 0, beside what it inherits\n";
  for (const std::string& line : set) text += line;
  std::vector<std::string> removed;
  for (const auto& [name, value] : agent.variables()) {
    if (!worker.has(name)) removed.push_back(name);
  }
  if (removed.empty()) return text;
  std::sort(removed.begin(), removed.end());
  text += "removed from it\n ";
  for (const std::string& name : removed) text += " " + name;
  return text + "\n";
}

}  // namespace

std::string quote_for_shell(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char byte : word) {
    if (byte == '\'') {
      quoted += "'\\''";
    } else {
      quoted += byte;
    }
  }
  return quoted + "'";
}

std::string print_plan(const DryRun& run) {
  std::uint64_t agents = 0;
  for (const NodePlan& node : run.plan.nodes) agents += node.shape.agents;
  std::string text = run.title + ": " + quantity(run.plan.nodes.size(), "node") + ", " +
                     quantity(agents, "agent") + ", " + quantity(run.plan.world_size, "worker") +
                     "\n";
  text += "nodes\n" + describe_all_nodes(run.plan);
  text += "command of each worker\n ";
  for (const std::string& word : run.command) text += " " + quote_for_shell(word);
  return text + "\n" + describe_environment(run.agent, run.worker);
}

}  // namespace muster::plan
