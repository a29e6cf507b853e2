#include "launcher/coordinator/misfit.h"

#include <algorithm>
#include <utility>

#include "launcher/options/exit_codes.h"
#include "rendezvous/text.h"

namespace muster::launcher {

namespace {

using options::ExitCode;
using options::to_int;

const std::string& host_of(const rendezvous::Roster& roster, std::size_t member) {
  return roster.members[member].description.host;
}

Misfit misread(const std::string& host, const Error& error) {
  return {to_int(ExitCode::kUsage),
          host + ": " + error.message() + "; install one version of muster on all nodes"};
}

std::optional<Misfit> find_other_version(const rendezvous::Roster& roster,
                                         const std::vector<AgentFacts>& facts) {
  const std::string& version = facts.front().version;
  for (std::size_t member = 1; member < facts.size(); ++member) {
    if (facts[member].version == version) continue;
    return Misfit{to_int(ExitCode::kUsage), host_of(roster, member) + " runs muster " +
                                                facts[member].version + ", " + host_of(roster, 0) +
                                                " runs " + version +
                                                ": install one version on all nodes"};
  }
  return std::nullopt;
}

// The first agent's that has one, with all who have the same.
std::optional<Misfit> find_own_error(const rendezvous::Roster& roster, std::string_view told,
                                     const std::vector<AgentFacts>& facts) {
  const auto has_error = [](const AgentFacts& agent) { return !agent.error.empty(); };
  const auto first = std::find_if(facts.begin(), facts.end(), has_error);
  if (first == facts.end()) return std::nullopt;
  std::vector<std::string> same;
  std::vector<std::string> others;
  for (std::size_t member = 0; member < facts.size(); ++member) {
    if (!has_error(facts[member])) continue;
    const bool is_same = facts[member].error == first->error;
    std::vector<std::string>& hosts = is_same ? same : others;
    if (hosts.empty() || hosts.back() != host_of(roster, member)) {
      hosts.push_back(host_of(roster, member));
    }
  }
  const bool is_everybodys = std::all_of(facts.begin(), facts.end(), [&](const AgentFacts& agent) {
    return agent.error == first->error;
  });
  Misfit misfit{static_cast<int>(first->error_exit_code), ""};
  if (is_everybodys && first->error == told) return misfit;
  misfit.text = rendezvous::fold_hosts(same) + ": " + first->error;
  if (!others.empty()) misfit.text += " (other errors on " + rendezvous::fold_hosts(others) + ")";
  return misfit;
}

// Never a smaller world because a driver hangs.
std::optional<Misfit> find_uncounted_gpus(const rendezvous::Roster& roster,
                                          const std::vector<AgentFacts>& facts) {
  for (std::size_t member = 0; member < facts.size(); ++member) {
    const plan::SlotSource slots = facts[member].slots.source;
    const bool counts_gpus = slots != plan::SlotSource::kCount && slots != plan::SlotSource::kCores;
    if (!counts_gpus || facts[member].driver_problem.empty()) continue;
    const std::string& host = host_of(roster, member);
    return Misfit{to_int(ExitCode::kUnfit),
                  host + ": " + facts[member].driver_problem + "; leave the node out (--exclude=" +
                      host + "), or say how many workers a node runs (--nproc-per-node=N)"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Misfit> find_misfit(const rendezvous::Roster& roster, std::string_view told,
                                  std::vector<AgentFacts>& facts) {
  facts.clear();
  for (const rendezvous::Member& member : roster.members) {
    Result<AgentFacts> read = parse_agent_facts(member.description.facts);
    if (!read) return misread(member.description.host, read.error());
    facts.push_back(std::move(*read));
  }
  if (auto misfit = find_other_version(roster, facts)) return misfit;
  if (auto misfit = find_own_error(roster, told, facts)) return misfit;
  return find_uncounted_gpus(roster, facts);
}

}  // namespace muster::launcher
