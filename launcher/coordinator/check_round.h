// CheckRound: one round of measurements under way: who runs, what came back, who is late. Pure.
//
// A round's groups know nothing of each other, so each is awaited by itself:
//
//   at most        the round's deadline, and a margin for its processes to say where they were
//   a process of the group failed                its peers get 3 s to report what they saw
//   most groups of the round are over            the others get five times as long as those took
//   a node of the group is gone                  as after a failure
//
// Then the group's agents are told to stop their processes; who does not obey in time is mute, and
// no round waits for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collectives-bench/localise/outcome.h"
#include "collectives-bench/localise/round.h"
#include "collectives-bench/verdict.h"
#include "launcher/coordinator/check_messages.h"
#include "launcher/verdict/first_cause.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/time.h"
#include "rendezvous/types.h"

namespace muster::launcher {

// One node of a check, and the processes that can run there.
struct CheckNode {
  std::string host;
  NodeIndex node{};                 // of the roster
  std::uint32_t first_process = 0;  // its number in the whole job; the others follow
  std::vector<MemberIndex> agents;  // of each process, in the order of local ranks

  bool operator==(const CheckNode&) const = default;
};

class CheckRound {
 public:
  // The round counts `nodes` by their place. A member of all `local_ranks` of a node means every
  // process there, where a node has more.
  CheckRound(GangId gang, bench::localise::Round round, std::span<const CheckNode> nodes,
             std::uint32_t local_ranks);

  GangId gang() const { return gang_; }
  const bench::localise::Round& round() const { return round_; }
  // Whom each group's rendezvous expects, in the order of its ranks.
  std::vector<std::vector<rendezvous::ExpectedMember>> groups() const;
  // What each agent with processes in the round is told. `ports` as the groups.
  std::map<MemberIndex, std::vector<CheckGroup>> orders(const std::vector<std::uint16_t>& ports,
                                                        TimePoint now);

  void note_process(const verdict::WorkerEnd& end, TimePoint now);
  // `reports` in the order in which the agent was told to start its processes.
  void note_finished(MemberIndex agent, const std::vector<std::string>& reports, TimePoint now);
  void lose(MemberIndex agent, TimePoint now);

  // Empty before orders().
  std::optional<TimePoint> next_deadline() const;
  // Agents to be told to stop now. Call it when the deadline has passed.
  std::vector<MemberIndex> pass_deadline(TimePoint now);

  bool is_over() const;
  bool has(MemberIndex agent) const { return agents_.contains(agent); }
  // Agents that did not end their processes when told to.
  std::vector<MemberIndex> mute() const;

  std::vector<bench::localise::GroupOutcome> outcomes() const;
  // Of one group, in the order of its ranks.
  const std::vector<bench::RankOutcome>& ranks(std::size_t group) const;
  Duration took(TimePoint now) const;

 private:
  struct Process {
    std::uint32_t number = 0;
    MemberIndex agent{};
    NodeIndex place{};  // of its node in the round
    rendezvous::ExpectedMember member;
    bool killed = false;  // it did not end when asked
  };
  struct Group {
    std::vector<Process> processes;
    std::vector<bench::RankOutcome> outcomes;
    std::uint32_t first_round_rank = 0;
    std::set<MemberIndex> awaited;  // agents that have not finished
    TimePoint deadline{};
  };
  struct Agent {
    std::vector<std::size_t> groups;         // ascending
    std::vector<std::uint32_t> round_ranks;  // in the order of starting
    std::optional<TimePoint> told_to_stop;
    bool is_gone = false;
    bool is_mute = false;
  };

  void add_group(const bench::localise::Group& asked, std::span<const CheckNode> nodes,
                 std::uint32_t local_ranks);
  std::size_t group_of(std::uint32_t round_rank) const;
  void hurry(Group& group, TimePoint deadline);
  void hurry_the_rest(TimePoint now);
  void leave(MemberIndex agent, TimePoint now);
  TimePoint deadline_of(const Agent& agent) const;
  bench::localise::GroupOutcome outcome_of(const Group& group) const;
  std::vector<NodeIndex> silent_nodes(const Group& group) const;

  GangId gang_{};
  bench::localise::Round round_;
  std::vector<Group> groups_;
  std::map<MemberIndex, Agent> agents_;
  std::optional<TimePoint> began_;
};

}  // namespace muster::launcher
