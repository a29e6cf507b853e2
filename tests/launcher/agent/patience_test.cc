// What the coordinator waits for an agent, beside what an agent may take.
#include <gtest/gtest.h>

#include "launcher/coordinator/coordinator.h"
#include "launcher/output/carrier.h"
#include "launcher/process/gang.h"
#include "launcher/process/stop_ladder.h"
#include "rendezvous/server.h"

namespace muster::launcher {
namespace {

constexpr Duration kSweepMargin = std::chrono::seconds(1);  // of sweeper.cc

TEST(Patience, AnAgentTellsOfStuckWorkersBeforeItIsGivenUp) {
  EXPECT_GT(kKillPatience, process::StopPlan{}.kill_wait);
}

TEST(Patience, AnAgentMayTidyUpAsLongAsItTakesAtWorst) {
  const Duration worst = process::StopPlan{}.kill_wait + process::GangOptions{}.sweep_limit +
                         kSweepMargin + 2 * output::OutputOptions{}.drain_limit;
  EXPECT_GT(kTidyPatience, worst);
}

TEST(Patience, ANodeThatIsGoneIsLostBeforeTheEndIsReachedWithoutIt) {
  EXPECT_GT(kClosingLimit, rendezvous::ServerOptions{}.lost_after);
}

}  // namespace
}  // namespace muster::launcher
