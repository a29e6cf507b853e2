// SignalRelay decides which signals the agent must pass on, so that workers get each exactly once.
//
// Sites differ: their Slurm signals every process of a step, or the agent alone, or the processes
// that are its children. The guardian is placed like a worker, so what reaches it reached the
// workers too. A signal that the agent sees and the guardian does not see within 200 ms is
// forwarded. One that only the guardian sees counts as received, and is not forwarded. Repeats of
// one signal merge, as pending signals merge in the kernel: those that the agent sees while it
// waits for the guardian's word, and those within 50 ms after both saw one.
//
// Pure: step with events and the time, obey the effects, come back at next_deadline().
#pragma once

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "launcher/process/signals.h"
#include "rendezvous/base/time.h"

namespace muster::process {

struct AgentSaw {
  int signum;
};
struct GuardianSaw {
  int signum;
};
struct GuardianLost {};  // no more reports: every signal is forwarded at once from now on
struct RelayTick {};
using RelayEvent = std::variant<AgentSaw, GuardianSaw, GuardianLost, RelayTick>;

// The job got this signal; given once, at the first sight from either side.
struct Received {
  int signum;
  SignalAction action;  // kStop or kForward
  bool operator==(const Received&) const = default;
};
// Workers did not get it by themselves: send it to all their groups.
struct ForwardToWorkers {
  int signum;
  bool operator==(const ForwardToWorkers&) const = default;
};
using RelayEffect = std::variant<Received, ForwardToWorkers>;

class SignalRelay {
 public:
  // For the guardian's word. Slurm sends a signal to one process after the other, and on a node
  // whose cores are all at work it takes 50 ms and more until the last has it.
  static constexpr Duration kPatience{200};
  static constexpr Duration kMerge{50};
  static constexpr Duration kLateMatch{250};  // a late twin is still recognised as a twin

  std::vector<RelayEffect> step(const RelayEvent& event, TimePoint now);
  std::optional<TimePoint> next_deadline() const;

 private:
  struct Sighting {
    std::optional<TimePoint> agent_alone;     // waiting for the guardian's word since
    std::optional<TimePoint> guardian_alone;  // the agent's twin may still come
    std::optional<TimePoint> forwarded;       // the guardian's word was awaited in vain
    std::optional<TimePoint> paired;          // both saw it
  };

  void on_agent(int signum, TimePoint now, std::vector<RelayEffect>& effects);
  void on_guardian(int signum, TimePoint now, std::vector<RelayEffect>& effects);
  void forward_overdue(TimePoint now, std::vector<RelayEffect>& effects);

  std::map<int, Sighting> sightings_;
  bool guardian_alive_ = true;
};

}  // namespace muster::process
