// Coordinator: the job's brain. Pure: (phase, event) -> (phase, effects), as a table.
//
// Knows the job from the moment the roster is complete: check, decision, workers, first failure,
// stop, closing. Does no I/O: the agent that hosts it (the lead agent of node 0) executes the
// effects and reports back. It tells its next wish with next_deadline(); no phase waits without
// one, except kRunning once all workers are started: its end is theirs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collectives-bench/gang.h"
#include "collectives-bench/profile/baseline.h"
#include "collectives-bench/profile/profile.h"
#include "launcher/coordinator/agent_facts.h"
#include "launcher/coordinator/attempt_log.h"
#include "launcher/coordinator/check_state.h"
#include "launcher/coordinator/health_board.h"
#include "launcher/coordinator/messages.h"
#include "launcher/coordinator/misfit.h"
#include "launcher/coordinator/node_directory.h"
#include "launcher/history/seen_bad.h"
#include "launcher/history/verdict_record.h"
#include "launcher/options/exit_codes.h"
#include "launcher/options/options.h"
#include "launcher/verdict/first_cause.h"
#include "launcher/verdict/recheck.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/types.h"
#include "slurm/node_actions.h"

namespace muster::launcher {

using options::CheckMode;
using options::ExitCode;
using options::StoreMode;
using options::to_int;

struct CoordinatorOptions {
  CheckMode check = CheckMode::kAuto;
  std::optional<double> check_min_busbw;        // GB/s, decimal
  bench::CheckSpec check_spec;                  // the backend and the iterations are chosen here
  std::optional<bench::SizeRange> check_sizes;  // the user's
  // Of the measurement of all nodes, and once more of the search for culprits.
  Duration check_deadline = std::chrono::seconds(60);
  std::optional<std::uint32_t> world_nodes;  // nodes that the job needs; absent: all
  std::optional<Rank> stdin_rank;            // --stdin: the world must have it
  bool record_baseline = false;
  std::uint32_t max_restarts = 0;
  Duration stop_grace = std::chrono::seconds(15);
  StoreMode store = StoreMode::kRank0;
  AdmissionMode admission = AdmissionMode::kUid;
  std::uint16_t master_port = 0;  // kAgent: the user's, or 0: the store's agent chooses
  bool exec_program = false;
  std::string job;                     // "4711.0", for the report
  std::chrono::sys_seconds started{};  // wall clock, for the report and the node memory
  bool check_only = false;             // `muster check`: the verdict is all that is asked for
  bench::Profile profile;              // of the machine
  // From the profile: "NAME=value" for the workers, and what to tell of it.
  std::vector<std::string> job_environment;
  std::vector<std::string> environment_lines;
  plan::SlotWish slots;
  std::vector<history::Record> node_memory;  // what earlier jobs found
  slurm::ClusterFacts cluster;               // for the commands about unfit nodes
  // Why this agent's own command line was refused, which the user has read; "": it was not.
  std::string told_error;
};

enum class Phase {
  kAssembling,    // the rendezvous gathers the agents
  kLooking,       // every node is asked for a look at its health
  kChecking,      // rounds of check gangs run, one after the other
  kLookingAgain,  // the check is over: what it brought to light
  kOpeningStore,  // the agent of rank 0 opens the workers' store
  kRunning,       // the workers run
  kStopping,      // the gang is being stopped, the first cause follows
  kClosing,       // the exit code is known; every agent acknowledges it
  kDone,
};
inline constexpr std::size_t kPhaseCount = 9;

// A check process has nothing to save.
inline constexpr Duration kCheckStopGrace = std::chrono::seconds(1);

// A look takes at most 18 s, when the driver and a file system hang; see node_looks.h.
inline constexpr Duration kLookDeadline = std::chrono::seconds(20);

// From StartWorkers until every agent has said that its workers run. A start takes milliseconds; a
// program on a slow file system may take some seconds to be loaded.
inline constexpr Duration kStartPatience = std::chrono::seconds(20);

// From the end of the grace, when SIGKILL goes out, for the word that every worker ended. What
// SIGKILL does not end, an agent tells after 2 s (StopPlan::kill_wait); an agent that says nothing
// stands still.
inline constexpr Duration kKillPatience = std::chrono::seconds(5);
// The same for agents whose workers have ended: they search for what escaped, and carry the output
// to its end. At worst that is 18 s: 2 s for the rest of killed groups (kKilledLimit of gang.cc),
// 6 s of search (GangOptions::sweep_limit and the sweeper's margin of 1 s), and twice
// OutputOptions::drain_limit of 5 s, until the pipes are read and until a console took the lines.
inline constexpr Duration kTidyPatience = std::chrono::seconds(20);

// For every agent's acknowledgement of the end: then those that are late are named.
inline constexpr Duration kClosingPatience = std::chrono::seconds(2);
// Until it ends without them. A node that is cut off either hears of the end when it is back or is
// lost, after 10 s; only an agent that stands still is neither. Longer than kClosingPatience nobody
// waits in vain: srun waits for the task of such an agent anyway.
inline constexpr Duration kClosingLimit = std::chrono::seconds(12);

std::string_view to_string(Phase phase);

// --- events -----------------------------------------------------------------------------------

struct Assembled {
  rendezvous::Roster roster;
};
struct AssemblyFailed {
  std::string text;
  int exit_code = 0;
};
// Answer to OpenCheckGroups.
struct CheckGroupsOpened {
  GangId gang{};
  std::vector<std::uint16_t> ports;  // one a group
  std::string key;
};
struct CheckGroupsFailed {
  GangId gang{};
  std::string text;
};
struct AgentSaid {
  MemberIndex agent{};
  FromAgent message;
};
struct AgentLost {
  MemberIndex agent{};
  bool whole_node = false;  // its kernel does not answer either
  std::string detail;       // "connection closed", "silent for 10 s"
  WallTime last_heard{};    // this node's clock
  WallTime decided{};
};
struct DeadlinePassed {};

using Event = std::variant<Assembled, AssemblyFailed, CheckGroupsOpened, CheckGroupsFailed,
                           AgentSaid, AgentLost, DeadlinePassed>;

// The columns of the table: events, with what an agent said told apart.
enum class EventKind {
  kAssembled,
  kAssemblyFailed,
  kCheckGroupsOpened,
  kCheckGroupsFailed,
  kWorkerEnded,
  kGangFinished,
  kCancelSeen,
  kCloseAcknowledged,
  kStoreOpened,
  kStoreFailed,
  kOwnersAsked,
  kOwnersFound,
  kNodeLooked,
  kWorkersStarted,
  kAgentLost,
  kDeadlinePassed,
};
inline constexpr std::size_t kEventKindCount = 16;

std::string_view to_string(EventKind kind);
EventKind kind_of(const Event& event);

// --- effects ---------------------------------------------------------------------------------

struct SendTo {
  MemberIndex agent{};
  ToAgent message;
  bool operator==(const SendTo&) const = default;
};
struct SendToAll {
  ToAgent message;
  bool operator==(const SendToAll&) const = default;
};
// Open a rendezvous for each group; answered by CheckGroupsOpened or CheckGroupsFailed.
struct OpenCheckGroups {
  GangId gang{};
  std::vector<std::vector<rendezvous::ExpectedMember>> groups;
  Duration deadline{};  // for a group's members to meet
  bool operator==(const OpenCheckGroups&) const = default;
};
struct CloseCheckGroups {
  bool operator==(const CloseCheckGroups&) const = default;
};
// A line (or a block of lines) for the job's user, on the coordinator's stderr.
struct Say {
  std::string text;
  bool operator==(const Say&) const = default;
};
// Of `muster check`: all that was found, one JSON document, to be written when the job is over.
struct KeepReport {
  std::string text;
  bool operator==(const KeepReport&) const = default;
};
// --record-baseline: what healthy nodes reached, to be written when the job is over.
struct KeepBaseline {
  bench::Profile profile;
  bool operator==(const KeepBaseline&) const = default;
};
// The nodes that the check found unfit, for the node memory and --drain.
struct KeepUnfit {
  std::vector<history::UnfitRecord> unfit;
  bool operator==(const KeepUnfit&) const = default;
};
// Every agent knows the code (or is gone): the coordinator's own agent ends with it.
struct Finish {
  int exit_code = 0;
  bool operator==(const Finish&) const = default;
};

using Effect = std::variant<SendTo, SendToAll, OpenCheckGroups, CloseCheckGroups, Say, KeepReport,
                            KeepBaseline, KeepUnfit, Finish>;
using Effects = std::vector<Effect>;

// --- the table --------------------------------------------------------------------------------

enum class Action {
  kImpossible,         // cannot happen; aborts
  kIgnore,             // late or repeated; nothing to do
  kBegin,              // read the facts, look at the nodes or start the workers
  kEndUnassembled,     // the missing were named; end
  kNoteLook,           // a node's facts are in; with the last, judge
  kEndLook,            // some are late: judge without them
  kStartCheckGang,     // the round's groups are open: tell the agents
  kEndCheckUnopened,   // they could not be opened: could not measure
  kNoteCheckProcess,   // a bench process ended; a failure stops its peers soon
  kNoteReports,        // an agent's reports are in; with the last, the next round or the choice
  kPassCheckDeadline,  // some groups are late: stop them
  kStartWorkers,       // the store is open: tell the agents
  kEndStoreless,       // it could not be opened: by another node, or end
  kEndStoreLate,       // nor did its agent say so in time: by another node, or end
  kLoseStore,          // nobody can reach it any more: stop
  kCarryQuestion,      // who owns these connections? To the nodes they come from
  kCarryAnswer,        // and back
  kNoteStarted,        // an agent's workers run; with the last, only their end is waited for
  kEndStartLate,       // some agents did not say so in time: stop
  kNoteWorker,         // a worker ended; a failure stops the job
  kNoteWorkerStopped,  // a worker ended while stopping: evidence
  kNoteFinished,       // an agent's gang is gone; with the last, decide
  kCancel,             // stop because a user, Slurm or a site asked
  kLoseAgent,          // stop because an agent is gone, or go on without its node
  kDecide,             // give up on agents that do not tell the end; name the first cause
  kNoteAcknowledged,   // with the last acknowledgement, finish
  kFinish,             // not all acknowledged in time: name them, later finish without them
};

struct Transition {
  Phase phase{};
  EventKind event{};
  Action action{};
  std::string_view next;  // names of the phases it may lead to
};

// Every (phase, event) pair, exactly once.
const std::vector<Transition>& transitions();

class Coordinator {
 public:
  explicit Coordinator(CoordinatorOptions options);

  Effects step(const Event& event, TimePoint now);
  std::optional<TimePoint> next_deadline() const { return deadline_; }
  Phase phase() const { return phase_; }

 private:
  struct Agent {
    AgentFacts facts;
    bool lead = false;
    std::size_t place = 0;  // of its node, in the order of nodes
    bool in_world = true;   // its node is one of those that the job runs on
    bool in_gang = false;   // takes part in the current gang
    bool started = false;   // its workers run
    bool finished = false;  // of the current gang
    bool lost = false;
    bool mute = false;  // stood still when it was waited for
    bool acknowledged = false;
    std::size_t slots = 0;
  };

  // Of an attempt.
  struct Ending {
    int exit_code = 0;
    bool is_repeatable = true;
    verdict::Suspect suspect = verdict::Suspect::kNothing;
  };

  void act(Action action, const Event& event, TimePoint now);
  void begin(const Assembled& event, TimePoint now);
  void end_unassembled(const AssemblyFailed& event, TimePoint now);
  void seat_agents(std::vector<AgentFacts> facts);
  void begin_check(TimePoint now);
  void check_again(TimePoint now);
  std::optional<bench::BackendKind> choose_backend();
  void say_profile();
  void look_at_nodes(Phase phase, TimePoint now);
  void note_look(MemberIndex from, const NodeLooked& message, TimePoint now);
  void end_look(TimePoint now);
  void judge_health(TimePoint now);
  bool is_second_look_due() const;
  void note_networks();
  void open_check(TimePoint now);
  void follow(NodeSelection::Next next, TimePoint now);
  void start_round(bench::localise::Round round, TimePoint now);
  void say_round(const bench::localise::Round& round);
  void conclude_early(const std::string& why, TimePoint now);
  void end_unopened(const std::string& why, TimePoint now);
  void start_check_gang(const CheckGroupsOpened& event, TimePoint now);
  void note_check_process(const WorkerEnded& message, TimePoint now);
  void note_reports(MemberIndex agent, const GangFinished& message, TimePoint now);
  void pass_check_deadline(TimePoint now);
  void watch_round(TimePoint now);
  void end_round(TimePoint now);
  bool lose_mute_nodes(TimePoint now);
  void say_table();
  void say_times();
  void settle(Choice choice, TimePoint now);
  void say_sources();
  void conclude_check(TimePoint now);
  void go_on(TimePoint now);  // to the workers; for `muster check`: to the end
  void keep_report(int exit_code, TimePoint now);
  void keep_baseline();
  void say_commands();
  std::vector<history::UnfitRecord> unfit_records() const;
  history::NodeIdentity identity_of(std::size_t place) const;
  std::vector<std::uint32_t> places_seen_bad() const;
  bool goes_on_unmeasured() const;
  void check_not_measured(const std::string& why, TimePoint now);
  // Which nodes run: places of nodes in the plan of all.
  std::uint32_t wanted_nodes() const;
  std::vector<std::uint32_t> fit_places() const;
  std::size_t place_of(MemberIndex agent) const;
  bool do_without(std::uint32_t place, const LeftOut& why);
  bool lose_unneeded(const AgentLost& event, TimePoint now);
  bool replace_chosen(std::uint32_t place);
  std::optional<Misfit> set_world();
  std::optional<Misfit> find_stdin_misfit() const;
  void prepare_workers(TimePoint now);
  void change_world(TimePoint now);
  void count_slots();
  void note_store_opened(MemberIndex from, const StoreOpened& message, TimePoint now);
  void end_storeless(MemberIndex from, const StoreFailed& message, TimePoint now);
  void end_without_store_in_time(TimePoint now);
  void replace_store_agent(const std::string& why, TimePoint now);
  void lose_store(MemberIndex from, const StoreFailed& message, TimePoint now);
  void carry_question(MemberIndex from, const AskOwners& message);
  void carry_answer(const OwnersFound& message);
  void learn_addresses();
  MemberIndex store_agent() const;  // the one that holds rank 0
  std::string master_address() const;
  void start_workers(TimePoint now);
  void send_to_world(const ToAgent& message);
  void note_started(MemberIndex agent, const WorkersStarted& message);
  void watch_start();
  void end_without_start(TimePoint now);
  void note_worker(MemberIndex from, WorkerEnded message, TimePoint now);
  void note_finished(MemberIndex agent, const GangFinished& message, TimePoint now);
  void cancel(MemberIndex agent, const CancelSeen& message, TimePoint now);
  void lose_agent(const AgentLost& event, TimePoint now);
  void stop(TimePoint now);
  void pass_stop_deadline(TimePoint now);
  bool are_workers_ended(MemberIndex agent) const;
  void end_attempt(const Ending& ending, TimePoint now);
  std::optional<std::string> why_not_again(bool is_repeatable);
  void restart(verdict::Suspect suspect, TimePoint now);
  std::string restart_text() const;
  std::string_view nothing_started() const;
  void decide(TimePoint now);
  void close(int exit_code, const std::string& text, TimePoint now);
  void finish_if_acknowledged();
  void pass_closing_deadline(TimePoint now);
  void finish();

  void say_of_agents(std::vector<std::string> hosts, std::string_view one, std::string_view several,
                     std::optional<Duration> patience);
  bool gang_is_gone() const;
  void say(std::string text);
  std::string host_of(MemberIndex agent) const;
  Agent& agent(MemberIndex index);

  CoordinatorOptions options_;
  Phase phase_ = Phase::kAssembling;
  std::optional<TimePoint> deadline_;
  Effects effects_;

  rendezvous::Roster roster_;
  std::vector<Agent> agents_;
  GangId gang_{};
  plan::JobPlan job_;  // of all nodes, later of the world
  NodeDirectory nodes_;
  Attempt attempt_{};
  std::uint16_t master_port_ = 0;
  AttemptLog log_;                        // of the attempt under way
  std::map<std::uint32_t, LeftOut> out_;  // by place: nodes that no attempt has any more
  std::string world_line_;                // as it was told last
  std::optional<HealthBoard> health_;     // from the first look on
  LookId look_{};
  std::optional<bench::BackendKind> check_backend_;
  std::vector<std::string> hosts_;                // of all nodes, by place
  std::vector<NodeIndex> node_ids_;               // of all nodes, by place
  std::vector<std::vector<std::string>> gpus_;    // of all nodes, by place: UUIDs
  TimePoint began_{};                             // when the agents had assembled
  CheckState check_;                              // the last one
  std::vector<std::string> commands_;             // that an operator would run
  std::vector<history::UnfitRecord> told_unfit_;  // by the last of such commands
  std::vector<NodeIndex> left_out_;               // nodes of the roster that are not in the world
  std::optional<TimePoint> tidy_end_;             // of a stop
  int exit_code_ = 0;
  bool are_late_told_ = false;            // those that have not acknowledged the end
  std::vector<std::string> lost_at_end_;  // hosts of agents that never will
};

}  // namespace muster::launcher
