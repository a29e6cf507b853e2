#include "launcher/process/signal_relay.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace muster::process {
namespace {

using namespace std::chrono_literals;

// A script of sightings at given milliseconds, and what came of it, as text: "R15@0 F15@50".
class Script {
 public:
  Script& agent(int at, int signum) { return feed(at, AgentSaw{signum}); }
  Script& guardian(int at, int signum) { return feed(at, GuardianSaw{signum}); }
  Script& lost(int at) { return feed(at, GuardianLost{}); }
  std::string until(int at) {
    run_to(at);
    return log_;
  }

 private:
  Script& feed(int at, const RelayEvent& event) {
    run_to(at);
    note(relay_.step(event, TimePoint(Duration(at))), at);
    return *this;
  }

  void run_to(int at) {
    while (const auto due = relay_.next_deadline()) {
      if (*due > TimePoint(Duration(at))) return;
      const auto when = std::chrono::duration_cast<Duration>(due->time_since_epoch()).count();
      note(relay_.step(RelayTick{}, *due), static_cast<int>(when));
    }
  }

  void note(const std::vector<RelayEffect>& effects, int at) {
    for (const RelayEffect& effect : effects) {
      if (!log_.empty()) log_ += ' ';
      if (const auto* received = std::get_if<Received>(&effect)) {
        log_ += "R" + std::to_string(received->signum);
      } else {
        log_ += "F" + std::to_string(std::get<ForwardToWorkers>(effect).signum);
      }
      log_ += "@" + std::to_string(at);
    }
  }

  SignalRelay relay_;
  std::string log_;
};

TEST(SignalRelay, ForwardsWhatTheGuardianDidNotSee) {
  EXPECT_EQ(Script().agent(0, SIGUSR1).until(1000), "R10@0 F10@200");
}

TEST(SignalRelay, DoesNotForwardWhatBothSawInEitherOrder) {
  EXPECT_EQ(Script().agent(0, SIGTERM).guardian(10, SIGTERM).until(1000), "R15@0");
  EXPECT_EQ(Script().guardian(0, SIGTERM).agent(10, SIGTERM).until(1000), "R15@0");
}

TEST(SignalRelay, CountsWhatOnlyTheGuardianSawAsReceived) {
  EXPECT_EQ(Script().guardian(0, SIGUSR1).until(1000), "R10@0");
}

TEST(SignalRelay, ReceivesEachOfTwoThatAreFarApart) {
  EXPECT_EQ(Script().agent(0, SIGINT).agent(300, SIGINT).until(1000), "R2@0 F2@200 R2@300 F2@500");
  EXPECT_EQ(Script().guardian(0, SIGINT).guardian(300, SIGINT).until(1000), "R2@0 R2@300");
  EXPECT_EQ(Script()
                .agent(0, SIGINT)
                .guardian(1, SIGINT)
                .agent(300, SIGINT)
                .guardian(301, SIGINT)
                .until(1000),
            "R2@0 R2@300");
}

TEST(SignalRelay, MergesABurstAsTheKernelDoes) {
  EXPECT_EQ(Script().agent(0, SIGUSR1).agent(5, SIGUSR1).agent(9, SIGUSR1).until(1000),
            "R10@0 F10@200");
  // The guardian was slower and the kernel merged its two into one: still nothing to forward.
  EXPECT_EQ(Script().agent(0, SIGUSR1).agent(5, SIGUSR1).guardian(6, SIGUSR1).until(1000), "R10@0");
  EXPECT_EQ(Script().agent(0, SIGUSR1).guardian(3, SIGUSR1).agent(5, SIGUSR1).until(1000), "R10@0");
  EXPECT_EQ(Script().guardian(0, SIGUSR1).guardian(4, SIGUSR1).agent(5, SIGUSR1).until(1000),
            "R10@0");
}

TEST(SignalRelay, KeepsDifferentSignalsApart) {
  EXPECT_EQ(Script().agent(0, SIGCONT).agent(0, SIGTERM).guardian(1, SIGTERM).until(1000),
            "R18@0 R15@0 F18@200");
}

TEST(SignalRelay, ALateTwinIsNotASecondSignal) {
  EXPECT_EQ(Script().agent(0, SIGINT).guardian(320, SIGINT).until(1000), "R2@0 F2@200");
  EXPECT_EQ(Script().guardian(0, SIGINT).agent(120, SIGINT).until(1000), "R2@0");
}

TEST(SignalRelay, AReportThatWaitedThroughAStallIsOnTime) {
  SignalRelay relay;
  relay.step(AgentSaw{SIGTERM}, TimePoint(0ms));
  EXPECT_TRUE(relay.step(GuardianSaw{SIGTERM}, TimePoint(280ms)).empty());
  EXPECT_TRUE(relay.step(RelayTick{}, TimePoint(280ms)).empty());
}

TEST(SignalRelay, WithoutAGuardianForwardsAtOnce) {
  EXPECT_EQ(Script().lost(0).agent(1, SIGUSR2).until(1000), "R12@1 F12@1");
  EXPECT_EQ(Script().agent(0, SIGUSR2).lost(20).until(1000), "R12@0 F12@20");
}

TEST(SignalRelay, TellsTheActionOfTheTable) {
  SignalRelay relay;
  EXPECT_EQ(relay.step(AgentSaw{SIGTERM}, TimePoint{}),
            std::vector<RelayEffect>{(Received{SIGTERM, SignalAction::kStop})});
  EXPECT_EQ(relay.step(AgentSaw{SIGHUP}, TimePoint{}),
            std::vector<RelayEffect>{(Received{SIGHUP, SignalAction::kForward})});
}

// Signals at least 300 ms apart, each delivered to the agent alone, to all, or to children alone,
// with delays below the window: workers get each exactly once, and the job receives each once.
TEST(SignalRelay, AnySiteDeliversExactlyOnce) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    SignalRelay relay;
    int received = 0;
    int at_workers = 0;
    int now = 0;
    const auto count = [&](const std::vector<RelayEffect>& effects) {
      for (const RelayEffect& effect : effects)
        ++(std::holds_alternative<Received>(effect) ? received : at_workers);
    };
    const int signals = 1 + static_cast<int>(random() % 5);
    for (int i = 0; i < signals; ++i, now += 500) {
      const auto site = random() % 3;
      const int delay = static_cast<int>(random() % 200);
      const bool agent_first = random() % 2 == 0;
      if (site == 0) count(relay.step(AgentSaw{SIGUSR1}, TimePoint(Duration(now))));
      if (site == 1) {
        count(relay.step(agent_first ? RelayEvent(AgentSaw{SIGUSR1}) : GuardianSaw{SIGUSR1},
                         TimePoint(Duration(now))));
        count(relay.step(agent_first ? RelayEvent(GuardianSaw{SIGUSR1}) : AgentSaw{SIGUSR1},
                         TimePoint(Duration(now + delay))));
      }
      if (site == 2) count(relay.step(GuardianSaw{SIGUSR1}, TimePoint(Duration(now))));
      if (site != 0) ++at_workers;  // Slurm brought it to them
      count(relay.step(RelayTick{}, TimePoint(Duration(now + 210))));
    }
    ASSERT_EQ(received, signals) << "seed " << seed;
    ASSERT_EQ(at_workers, signals) << "seed " << seed;
  }
}

}  // namespace
}  // namespace muster::process
