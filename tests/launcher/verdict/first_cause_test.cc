#include "launcher/verdict/first_cause.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "tests/launcher/verdict/evidence.h"

namespace muster::verdict {
namespace {

using namespace std::chrono_literals;

TEST(FirstCause, NothingFailedWhenAllEndedWell) {
  EXPECT_FALSE(decide_first_cause({}));
  EXPECT_FALSE(decide_first_cause({.ends = {exits(0, 0, 1), exits(1, 0, 2)}}));
}

TEST(FirstCause, TheFirstSilentExitCodeIsNamed) {
  const FirstCause cause =
      cause_of({.ends = {stopped_at(killed(0, SIGTERM, 1.2), 1.1), exits(5, 3, 1.0),
                         stopped_at(killed(1, SIGKILL, 16.1), 1.1)}});
  EXPECT_EQ(cause.kind, CauseKind::kWorker);
  EXPECT_EQ(cause.place.rank, Rank{5});
  EXPECT_EQ(cause.place.host, "node2");
  EXPECT_EQ(cause.text, "exit code 3");
  EXPECT_EQ(cause.exit_code, 3);
  EXPECT_EQ(cause.victims, 2u);
}

TEST(FirstCause, ADeathBySignalBecomes128PlusN) {
  WorkerEnd end = killed(2, SIGSEGV, 1);
  end.status = process::ExitStatus::killed(SIGSEGV, true);
  const FirstCause cause = cause_of({.ends = {end}});
  EXPECT_EQ(cause.text, "killed by SIGSEGV (core dumped)");
  EXPECT_EQ(cause.exit_code, 139);
}

TEST(FirstCause, AKillThatMusterDidNotSendIsSaidToBeForeign) {
  EXPECT_EQ(cause_of({.ends = {killed(2, SIGKILL, 1)}}).text,
            "killed by SIGKILL, which muster did not send (out of memory?)");
}

TEST(FirstCause, APeersComplaintMayComeBeforeTheCulpritsExit) {
  const FirstCause cause =
      cause_of({.ends = {exits(0, 1, 1.0, traceback_of("RuntimeError: Connection closed by peer")),
                         exits(3, 1, 4.0, traceback_of("ValueError: boom"))}});
  EXPECT_EQ(cause.place.rank, Rank{3});
  EXPECT_EQ(cause.text, "exit code 1: ValueError: boom");
}

TEST(FirstCause, ACoreDumpThatOutlastsTheStopIsStillTheCause) {
  WorkerEnd dumped = stopped_at(killed(3, SIGSEGV, 20), 1.1);
  dumped.status = process::ExitStatus::killed(SIGSEGV, true);
  const FirstCause cause = cause_of(
      {.ends = {exits(0, 1, 1.0, {"gloo/transport/tcp/pair.cc:534] Connection closed by peer"}),
                dumped, stopped_at(killed(1, SIGTERM, 1.2), 1.1)}});
  EXPECT_EQ(cause.place.rank, Rank{3});
  EXPECT_FALSE(cause.complaint);
}

TEST(FirstCause, AnErrorFileFromBeforeTheStopBeatsAnEarlierExit) {
  const FirstCause cause = cause_of(
      {.ends = {exits(0, 7, 6.0),
                stopped_at(with_error_file(exits(3, 1, 9.0), "ValueError: boom", 4), 6.1)}});
  EXPECT_EQ(cause.place.rank, Rank{3});
  EXPECT_EQ(cause.call_stack.substr(0, 9), "Traceback");
}

TEST(FirstCause, AnErrorInTheSecondOfTheStopDoesNotBeatAnEarlierExit) {
  const FirstCause cause =
      cause_of({.ends = {exits(0, 7, 6.0),
                         stopped_at(with_error_file(exits(3, 1, 9.0), "ValueError: x", 6), 6.1)}});
  EXPECT_EQ(cause.place.rank, Rank{0});
}

TEST(FirstCause, TheAnswerToAStopIsNoCause) {
  for (const char* answer :
       {"KeyboardInterrupt", "SystemExit: 1", "SignalException: Process 7 got signal: 15"}) {
    const FirstCause cause =
        cause_of({.ends = {exits(0, 1, 1.0, {"Connection reset by peer"}),
                           stopped_at(exits(3, 1, 1.3, traceback_of(answer)), 1.1)}});
    EXPECT_EQ(cause.place.rank, Rank{0}) << answer;
    EXPECT_TRUE(cause.complaint) << answer;
  }
}

TEST(FirstCause, OfComplaintsOnlyTheFirstIsNamedAndMarked) {
  const FirstCause cause = cause_of({.ends = {exits(1, 1, 2.0, {"Connection reset by peer"}),
                                              exits(0, 1, 1.0, {"Connection reset by peer"})}});
  EXPECT_EQ(cause.place.rank, Rank{0});
  EXPECT_TRUE(cause.complaint);
}

TEST(FirstCause, AComplaintAfterTheStopIsNotBetterThanOneBefore) {
  const FirstCause cause =
      cause_of({.ends = {exits(0, 1, 1.0, {"Connection reset by peer"}),
                         stopped_at(exits(3, 1, 1.3, traceback_of("BrokenPipeError: x")), 1.1)}});
  EXPECT_EQ(cause.place.rank, Rank{0});
}

TEST(FirstCause, AKillByMusterIsNotBetterThanAnExitCodeAfterTheStop) {
  EXPECT_EQ(
      cause_of({.ends = {stopped_at(killed(0, SIGKILL, 16), 1), stopped_at(exits(5, 9, 17), 1)}})
          .exit_code,
      9);
}

TEST(FirstCause, WhatDiedOfTheStopIsNamedOnlyWhenNothingElseIsKnown) {
  EXPECT_EQ(cause_of({.ends = {stopped_at(killed(4, SIGTERM, 2), 1)}}).exit_code, 143);
  const FirstCause cause =
      cause_of({.ends = {stopped_at(killed(4, SIGTERM, 2), 1), stopped_at(exits(5, 9, 3), 1)}});
  EXPECT_EQ(cause.exit_code, 9);
}

TEST(FirstCause, ClocksDecideBetweenTwoCauses) {
  WorkerEnd early = exits(6, 4, 10.0);  // its node's clock is 8 s fast
  early.clock.to_coordinator = -8s;
  EXPECT_EQ(cause_of({.ends = {exits(1, 3, 5.0), early}}).exit_code, 4);
}

TEST(FirstCause, StrongerEvidenceDecidesWhereClocksCannot) {
  WorkerEnd silent = exits(0, 3, 5.0);
  WorkerEnd spoken = exits(6, 1, 5.02, traceback_of("ValueError: boom"));
  EXPECT_EQ(cause_of({.ends = {silent, spoken}}).exit_code, 3);
  spoken.clock.uncertainty = 15ms;
  silent.clock.uncertainty = 10ms;
  EXPECT_EQ(cause_of({.ends = {silent, spoken}}).exit_code, 1);
}

TEST(FirstCause, ALowerRankDecidesAtLast) {
  EXPECT_EQ(cause_of({.ends = {exits(7, 2, 1.0), exits(2, 3, 1.0)}}).place.rank, Rank{2});
}

TEST(FirstCause, AProgramThatCannotStartSaysWhy) {
  WorkerEnd end = exits(5, 0, 1);
  end.start_failure = StartFailure{"exec /x/python: No such file or directory", 127};
  const FirstCause cause = cause_of({.ends = {end, stopped_at(killed(0, SIGTERM, 1.2), 1.1)}});
  EXPECT_EQ(cause.kind, CauseKind::kStartFailure);
  EXPECT_EQ(cause.text, "exec /x/python: No such file or directory");
  EXPECT_EQ(cause.exit_code, 127);
  EXPECT_EQ(cause.victims, 1u);
}

TEST(FirstCause, ABrokenErrorFileLeavesTheOtherEvidence) {
  WorkerEnd end = exits(5, 1, 1, traceback_of("ValueError: boom"));
  end.error_file = "{\"message\": {\"mess";
  EXPECT_EQ(cause_of({.ends = {end}}).text, "exit code 1: ValueError: boom");
}

TEST(FirstCause, ACppExceptionsWordsAreFound) {
  const FirstCause cause = cause_of(
      {.ends = {killed(1, SIGABRT, 1.0,
                       {"terminate called after throwing an instance of 'c10::DistBackendError'",
                        "  what():  [Rank 1] Watchdog caught collective operation timeout: ..."}),
                killed(2, SIGABRT, 3.0,
                       {"terminate called after throwing an instance of 'std::logic_error'",
                        "  what():  bad shape"})}});
  EXPECT_EQ(cause.text, "killed by SIGABRT: bad shape");
}

TEST(FirstCause, TheOrderOfTheEvidenceDoesNotMatter) {
  std::vector<WorkerEnd> ends = {exits(0, 1, 1.0, {"Connection reset by peer"}),
                                 exits(1, 3, 1.4),
                                 with_error_file(exits(2, 1, 2.5), "ValueError: boom", 1),
                                 killed(3, SIGSEGV, 2.6),
                                 stopped_at(killed(4, SIGTERM, 2.0), 1.9),
                                 stopped_at(exits(5, 1, 2.2, traceback_of("KeyError: 'x'")), 1.9),
                                 exits(6, 0, 0.5)};
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    std::shuffle(ends.begin(), ends.end(), random);
    const FirstCause cause = cause_of({.ends = ends});
    ASSERT_EQ(cause.place.rank, Rank{2});
    ASSERT_EQ(cause.victims, 5u);
  }
}

TEST(MissingNodes, AreNamedUpToALimit) {
  const FirstCause few = missing_nodes({"node3", "node4"}, 4, 10min);
  EXPECT_EQ(few.text, "2 of 4 nodes did not come within 600 s: node3, node4");
  EXPECT_EQ(few.exit_code, 81);
  const FirstCause many = missing_nodes(std::vector<std::string>(1000, "n"), 2000, 500ms);
  EXPECT_EQ(many.text.substr(0, 48), "1000 of 2000 nodes did not come within 0.5 s: n,");
  EXPECT_TRUE(many.text.ends_with("n and 984 more"));
}

}  // namespace
}  // namespace muster::verdict
