// A cancel is the first cause, not the workers that died of it.
#include <gtest/gtest.h>

#include <csignal>

#include "launcher/verdict/first_cause.h"
#include "tests/launcher/verdict/evidence.h"

namespace muster::verdict {
namespace {

using namespace std::chrono_literals;

Cancel cancelled(int signal_number, double when) {
  return {signal_number, at(when), {}, "node1"};
}

TEST(Cancel, IsTheCauseOfWhatItKilled) {
  const FirstCause cause =
      cause_of({.ends = {stopped_at(killed(0, SIGTERM, 5.1), 5.0),
                         stopped_at(exits(1, 1, 5.2, traceback_of("OSError: x")), 5.0),
                         stopped_at(exits(2, 0, 5.4), 5.0)},
                .cancel = cancelled(SIGTERM, 5.0)});
  EXPECT_EQ(cause.kind, CauseKind::kCancel);
  EXPECT_EQ(cause.text, "SIGTERM");
  EXPECT_EQ(cause.exit_code, 143);
  EXPECT_EQ(cause.victims, 3u);
}

TEST(Cancel, IsTheCauseEvenWhenSlurmKilledTheWorkersFirst) {
  const FirstCause cause = cause_of({.ends = {killed(0, SIGTERM, 4.0), exits(1, 143, 4.9),
                                              exits(2, 1, 4.9, traceback_of("KeyboardInterrupt"))},
                                     .cancel = cancelled(SIGTERM, 5.0)});
  EXPECT_EQ(cause.kind, CauseKind::kCancel);
  EXPECT_EQ(cause.victims, 3u);
}

TEST(Cancel, ReachesWorkersThatExitOnItHalfASecondBeforeItIsNoticed) {
  EXPECT_EQ(cause_of({.ends = {exits(0, 3, 4.8)}, .cancel = cancelled(SIGTERM, 5.0)}).exit_code,
            143);
  EXPECT_EQ(cause_of({.ends = {exits(0, 3, 4.3)}, .cancel = cancelled(SIGTERM, 5.0)}).exit_code, 3);
}

TEST(Cancel, OfAFailedJobIsNotTheCause) {
  const FirstCause cause =
      cause_of({.ends = {exits(5, 3, 2.0), stopped_at(killed(0, SIGKILL, 9.0), 2.1)},
                .cancel = cancelled(SIGINT, 5.0)});
  EXPECT_EQ(cause.exit_code, 3);
}

TEST(Cancel, DoesNotExcuseTheSameSignalLongBefore) {
  const FirstCause cause =
      cause_of({.ends = {killed(5, SIGTERM, 2.0)}, .cancel = cancelled(SIGTERM, 5.0)});
  EXPECT_EQ(cause.kind, CauseKind::kWorker);
}

TEST(Cancel, ComparesByTheCoordinatorsClock) {
  Cancel cancel = cancelled(SIGTERM, 105.0);  // that node's clock is 100 s fast
  cancel.clock.to_coordinator = -100s;
  EXPECT_EQ(cause_of({.ends = {exits(5, 3, 7.0)}, .cancel = cancel}).kind, CauseKind::kCancel);
  EXPECT_EQ(cause_of({.ends = {exits(5, 3, 3.0)}, .cancel = cancel}).kind, CauseKind::kWorker);
}

TEST(Cancel, AfterAGoodEndChangesNothing) {
  EXPECT_FALSE(decide_first_cause(
      {.ends = {exits(0, 0, 1), exits(1, 0, 2)}, .cancel = cancelled(SIGTERM, 3.0)}));
}

TEST(Cancel, OfWorkersThatEndWellOnItIsStillACancel) {
  EXPECT_EQ(cause_of({.ends = {stopped_at(exits(0, 0, 4), 3.0), exits(1, 0, 2)},
                      .cancel = cancelled(SIGTERM, 3.0)})
                .exit_code,
            143);
}

TEST(Cancel, BeforeAnyWorkerStartedIsACancel) {
  EXPECT_EQ(cause_of({.cancel = cancelled(SIGINT, 1)}).exit_code, 130);
}

}  // namespace
}  // namespace muster::verdict
