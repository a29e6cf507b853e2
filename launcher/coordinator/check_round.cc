#include "launcher/coordinator/check_round.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "rendezvous/base/check.h"

namespace muster::launcher {

namespace {

using bench::localise::GroupOutcome;
using bench::localise::OutcomeKind;

// A failed bench process leaves its peers waiting for it: they get this long to report what they
// saw.
constexpr Duration kReportPatience = std::chrono::seconds(3);
// The processes' own deadline comes first, so that they can say where they were.
constexpr Duration kDeadlineMargin = std::chrono::seconds(5);
// From the order to stop to giving up on an agent; the ladder takes kCheckStopGrace.
constexpr Duration kStopPatience = std::chrono::seconds(4);
// Groups of a round do the same work at the same time.
constexpr int kSlowerThanOthers = 5;

// The library tells it to one rank of the group.
std::string algorithm_of(const std::vector<bench::RankOutcome>& ranks) {
  for (const bench::RankOutcome& rank : ranks) {
    if (rank.report && !rank.report->algorithm.empty()) return rank.report->algorithm;
  }
  return "";
}

}  // namespace

CheckRound::CheckRound(GangId gang, bench::localise::Round round, std::span<const CheckNode> nodes,
                       std::uint32_t local_ranks)
    : gang_(gang), round_(std::move(round)) {
  for (const bench::localise::Group& group : round_.groups) add_group(group, nodes, local_ranks);
}

void CheckRound::add_group(const bench::localise::Group& asked, std::span<const CheckNode> nodes,
                           std::uint32_t local_ranks) {
  Group group;
  if (!groups_.empty()) {
    group.first_round_rank = groups_.back().first_round_rank +
                             static_cast<std::uint32_t>(groups_.back().processes.size());
  }
  for (const bench::localise::Member& member : asked.members) {
    MUSTER_CHECK(value_of(member.node) < nodes.size());
    const CheckNode& node = nodes[value_of(member.node)];
    const bool all = member.local_ranks.size() >= local_ranks;
    const std::size_t count = all ? node.agents.size() : member.local_ranks.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto local = all ? static_cast<std::uint32_t>(i) : value_of(member.local_ranks[i]);
      MUSTER_CHECK(local < node.agents.size());
      Process process;
      process.number = node.first_process + local;
      process.agent = node.agents[local];
      process.place = member.node;
      process.member = {node.node, LocalTask{local}, node.host};
      Agent& agent = agents_[process.agent];
      if (agent.groups.empty() || agent.groups.back() != groups_.size()) {
        agent.groups.push_back(groups_.size());
      }
      agent.round_ranks.push_back(group.first_round_rank +
                                  static_cast<std::uint32_t>(group.processes.size()));
      group.awaited.insert(process.agent);
      bench::RankOutcome outcome;
      outcome.host = node.host;
      group.outcomes.push_back(std::move(outcome));
      group.processes.push_back(std::move(process));
    }
  }
  groups_.push_back(std::move(group));
}

std::vector<std::vector<rendezvous::ExpectedMember>> CheckRound::groups() const {
  std::vector<std::vector<rendezvous::ExpectedMember>> all;
  for (const Group& group : groups_) {
    std::vector<rendezvous::ExpectedMember> members;
    for (const Process& process : group.processes) members.push_back(process.member);
    all.push_back(std::move(members));
  }
  return all;
}

std::map<MemberIndex, std::vector<CheckGroup>> CheckRound::orders(
    const std::vector<std::uint16_t>& ports, TimePoint now) {
  MUSTER_CHECK(ports.size() == groups_.size());
  began_ = now;
  std::vector<CheckGroup> all;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    Group& group = groups_[i];
    group.deadline = now + round_.deadline + kDeadlineMargin;
    std::vector<std::uint32_t> numbers;
    for (const Process& process : group.processes) numbers.push_back(process.number);
    all.push_back(
        {static_cast<std::uint32_t>(i), ports[i], group.first_round_rank, fold_ranges(numbers)});
  }
  for (const auto& [index, agent] : agents_) {
    if (!agent.is_gone) continue;
    for (const std::size_t number : agent.groups) hurry(groups_[number], now + kReportPatience);
  }
  std::map<MemberIndex, std::vector<CheckGroup>> orders;
  for (const auto& [index, agent] : agents_) {
    for (const std::size_t group : agent.groups) orders[index].push_back(all[group]);
  }
  return orders;
}

std::size_t CheckRound::group_of(std::uint32_t round_rank) const {
  const auto after = std::upper_bound(
      groups_.begin(), groups_.end(), round_rank,
      [](std::uint32_t rank, const Group& group) { return rank < group.first_round_rank; });
  return static_cast<std::size_t>(after - groups_.begin()) - 1;
}

void CheckRound::note_process(const verdict::WorkerEnd& end, TimePoint now) {
  Group& group = groups_[group_of(value_of(end.place.rank))];
  const std::size_t rank = value_of(end.place.rank) - group.first_round_rank;
  if (rank >= group.outcomes.size()) return;
  bench::RankOutcome& outcome = group.outcomes[rank];
  if (end.start_failure) {
    outcome.missing = bench::MissingReason::kNotStarted;
    outcome.detail = end.start_failure->text;
  } else {
    const bool by_us = end.stop_sent.has_value();
    outcome.missing =
        by_us ? bench::MissingReason::kKilledAtDeadline : bench::MissingReason::kExited;
    if (!by_us) outcome.detail = to_string(end.status);
    group.processes[rank].killed = by_us && end.status.signal() == SIGKILL;
    if (end.status.success()) return;
  }
  hurry(group, now + kReportPatience);
}

void CheckRound::hurry(Group& group, TimePoint deadline) {
  group.deadline = std::min(group.deadline, deadline);
}

void CheckRound::note_finished(MemberIndex index, const std::vector<std::string>& reports,
                               TimePoint now) {
  const auto found = agents_.find(index);
  if (found == agents_.end() || found->second.is_gone) return;
  const std::vector<std::uint32_t>& ranks = found->second.round_ranks;
  for (std::size_t i = 0; i < std::min(reports.size(), ranks.size()); ++i) {
    if (reports[i].empty()) continue;
    Group& group = groups_[group_of(ranks[i])];
    bench::RankOutcome& outcome = group.outcomes[ranks[i] - group.first_round_rank];
    Result<bench::RankReport> report = bench::parse_report(reports[i]);
    if (report) {
      outcome.report = std::move(*report);
    } else {
      outcome.missing = bench::MissingReason::kBadReport;
      outcome.detail = report.error().message();
    }
  }
  leave(index, now);
}

void CheckRound::lose(MemberIndex index, TimePoint now) {
  const auto found = agents_.find(index);
  if (found == agents_.end() || found->second.is_gone) return;
  for (const std::size_t number : found->second.groups) {
    Group& group = groups_[number];
    for (std::size_t rank = 0; rank < group.processes.size(); ++rank) {
      if (group.processes[rank].agent != index) continue;
      group.outcomes[rank].missing = bench::MissingReason::kKilledAtDeadline;
      group.outcomes[rank].detail = "its agent is gone";
      group.processes[rank].killed = true;
    }
    hurry(group, now + kReportPatience);
  }
  leave(index, now);
}

void CheckRound::leave(MemberIndex index, TimePoint now) {
  Agent& agent = agents_.at(index);
  agent.is_gone = true;
  for (const std::size_t group : agent.groups) groups_[group].awaited.erase(index);
  hurry_the_rest(now);
}

void CheckRound::hurry_the_rest(TimePoint now) {
  const auto over = static_cast<std::size_t>(std::count_if(
      groups_.begin(), groups_.end(), [](const Group& group) { return group.awaited.empty(); }));
  if (!began_ || 2 * over < groups_.size() || over == groups_.size()) return;
  for (Group& group : groups_) {
    hurry(group, *began_ + kSlowerThanOthers * (now - *began_) + kDeadlineMargin);
  }
}

// An agent stops all its processes at once: not before the last of its groups is late.
TimePoint CheckRound::deadline_of(const Agent& agent) const {
  TimePoint deadline{};
  for (const std::size_t number : agent.groups) {
    const Group& group = groups_[number];
    if (!group.awaited.empty()) deadline = std::max(deadline, group.deadline);
  }
  return deadline;
}

std::optional<TimePoint> CheckRound::next_deadline() const {
  std::optional<TimePoint> next;
  if (!began_) return next;
  for (const auto& [index, agent] : agents_) {
    if (agent.is_gone) continue;
    const TimePoint own =
        agent.told_to_stop ? *agent.told_to_stop + kStopPatience : deadline_of(agent);
    next = next ? std::min(*next, own) : own;
  }
  return next;
}

std::vector<MemberIndex> CheckRound::pass_deadline(TimePoint now) {
  std::vector<MemberIndex> to_stop;
  std::vector<MemberIndex> given_up;
  for (auto& [index, agent] : agents_) {
    if (agent.is_gone) continue;
    if (agent.told_to_stop) {
      if (*agent.told_to_stop + kStopPatience <= now) given_up.push_back(index);
    } else if (deadline_of(agent) <= now) {
      agent.told_to_stop = now;
      to_stop.push_back(index);
    }
  }
  for (const MemberIndex index : given_up) {
    agents_.at(index).is_mute = true;
    lose(index, now);
  }
  return to_stop;
}

bool CheckRound::is_over() const {
  return std::all_of(agents_.begin(), agents_.end(),
                     [](const auto& entry) { return entry.second.is_gone; });
}

std::vector<MemberIndex> CheckRound::mute() const {
  std::vector<MemberIndex> agents;
  for (const auto& [index, agent] : agents_) {
    if (agent.is_mute) agents.push_back(index);
  }
  return agents;
}

const std::vector<bench::RankOutcome>& CheckRound::ranks(std::size_t group) const {
  return groups_[group].outcomes;
}

Duration CheckRound::took(TimePoint now) const {
  return began_ ? std::chrono::duration_cast<Duration>(now - *began_) : Duration{0};
}

std::vector<GroupOutcome> CheckRound::outcomes() const {
  std::vector<GroupOutcome> all;
  for (const Group& group : groups_) all.push_back(outcome_of(group));
  return all;
}

GroupOutcome CheckRound::outcome_of(const Group& group) const {
  const bench::Verdict verdict = bench::judge(group.outcomes, {});
  GroupOutcome outcome;
  outcome.text = verdict.line;
  switch (verdict.seen) {
    case bench::Seen::kMeasured:
      outcome.kind = OutcomeKind::kMeasured;
      outcome.measured = {verdict.p50_busbw, verdict.p99_busbw, verdict.cv,
                          algorithm_of(group.outcomes)};
      break;
    case bench::Seen::kWrongData:
      outcome.kind = OutcomeKind::kWrongData;
      break;
    case bench::Seen::kHung:
      outcome.kind = OutcomeKind::kHung;
      outcome.silent = silent_nodes(group);
      break;
    case bench::Seen::kNotMeasured:
      outcome.kind = OutcomeKind::kFailed;
      break;
  }
  return outcome;
}

// Who had to be killed was stuck; one that SIGTERM ended had been waiting for others.
std::vector<NodeIndex> CheckRound::silent_nodes(const Group& group) const {
  std::set<NodeIndex> killed;
  std::set<NodeIndex> mute;
  for (std::size_t rank = 0; rank < group.processes.size(); ++rank) {
    if (group.outcomes[rank].report) continue;
    mute.insert(group.processes[rank].place);
    if (group.processes[rank].killed) killed.insert(group.processes[rank].place);
  }
  const std::set<NodeIndex>& silent = killed.empty() ? mute : killed;
  return {silent.begin(), silent.end()};
}

}  // namespace muster::launcher
