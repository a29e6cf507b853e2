#include "launcher/verdict/report.h"

#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "tests/launcher/verdict/evidence.h"

namespace muster::verdict {
namespace {

using namespace std::chrono_literals;

TEST(Report, OfATracebackOnStderr) {
  const FirstCause cause = cause_of({.ends = {exits(5, 1, 1, traceback_of("ValueError: boom")),
                                              stopped_at(killed(0, SIGTERM, 1.2), 1.1)}});
  EXPECT_EQ(final_report(cause),
            "muster: last lines of stderr of rank 5 on node2:\n"
            "  | Traceback (most recent call last):\n"
            "  |   File \"train.py\", line 12, in <module>\n"
            "  |     main()\n"
            "  | ValueError: boom\n"
            "muster: rank 5 (node2, local rank 1) failed first: exit code 1: ValueError: boom; 1 "
            "other worker ended with it\n");
}

TEST(Report, OfAnErrorFileWhoseTracebackStderrDoesNotShow) {
  WorkerEnd end = with_error_file(exits(5, 1, 1, {"epoch 3"}), "ValueError: boom", 0);
  EXPECT_EQ(final_report(cause_of({.ends = {end}})),
            "muster: last lines of stderr of rank 5 on node2:\n"
            "  | epoch 3\n"
            "muster: error file of rank 5 on node2:\n"
            "  | Traceback (most recent call last):\n"
            "  |   File \"train.py\", line 3, in main\n"
            "  | ValueError: boom\n"
            "muster: rank 5 (node2, local rank 1) failed first: exit code 1: ValueError: boom\n");
}

TEST(Report, DoesNotShowTheSameTracebackTwice) {
  WorkerEnd end =
      with_error_file(exits(5, 1, 1, traceback_of("ValueError: boom")), "ValueError: boom", 0);
  EXPECT_EQ(final_report(cause_of({.ends = {end}})).find("error file"), std::string::npos);
}

TEST(Report, OfASignalWithCore) {
  WorkerEnd end = exits(5, 0, 1);
  end.status = process::ExitStatus::killed(SIGSEGV, true);
  EXPECT_EQ(final_report(cause_of({.ends = {end}})),
            "muster: rank 5 (node2, local rank 1) failed first: killed by SIGSEGV (core dumped)\n");
}

TEST(Report, OfAProgramThatCannotStart) {
  WorkerEnd end = exits(5, 0, 1);
  end.start_failure = StartFailure{"exec /x/python: No such file or directory", 127};
  EXPECT_EQ(final_report(cause_of({.ends = {end}})),
            "muster: rank 5 (node2, local rank 1) could not start: exec /x/python: No such file or "
            "directory\n");
}

TEST(Report, OfComplaintsOnlySaysSo) {
  EXPECT_EQ(final_line(cause_of({.ends = {exits(5, 1, 1, {"Connection reset by peer"})}})),
            "muster: rank 5 (node2, local rank 1) failed first, blaming a peer: exit code 1");
}

TEST(Report, OfACancel) {
  EXPECT_EQ(final_report(cause_of({.ends = {stopped_at(killed(0, SIGTERM, 5.1), 5),
                                            stopped_at(killed(1, SIGTERM, 5.1), 5)},
                                   .cancel = Cancel{SIGTERM, at(5), {}, "node1"}})),
            "muster: cancelled by SIGTERM (seen first on node1); 2 workers ended with it\n");
}

TEST(Report, OfALostAgentAndALostNode) {
  PeerLoss loss{NodeIndex{3}, "node3", false, at(1), at(1), 8, "connection closed"};
  EXPECT_EQ(final_report(cause_of({.losses = {loss}})),
            "muster: the agent on node3 was lost: connection closed; 8 workers ended with it\n");
  loss.whole_node = true;
  loss.detail = "no answer for 10 s";
  EXPECT_EQ(final_report(cause_of({.losses = {loss}})),
            "muster: node3 was lost: no answer for 10 s; 8 workers ended with it\n");
}

TEST(Report, OfMissingNodes) {
  EXPECT_EQ(final_report(missing_nodes({"node4"}, 4, 10min)),
            "muster: 1 of 4 nodes did not come within 600 s: node4\n");
}

TEST(Report, ShowsTheLastLinesOnly) {
  std::vector<std::string> tail;
  for (int line = 1; line <= 30; ++line) tail.push_back("line " + std::to_string(line));
  const std::string report = final_report(cause_of({.ends = {exits(5, 3, 1, tail)}}));
  EXPECT_EQ(report.find("line 20\n"), std::string::npos);
  EXPECT_NE(report.find("  | line 21\n"), std::string::npos);
  EXPECT_NE(report.find("  | line 30\n"), std::string::npos);
}

TEST(Report, NoLineIsLongerThanSrunCarriesWhole) {
  const std::string long_text(5000, 'x');
  WorkerEnd end = with_error_file(exits(5, 1, 1, {long_text}), "E: " + long_text, 0);
  end.place.host = long_text;
  std::istringstream report(final_report(cause_of({.ends = {end}})));
  std::size_t lines = 0;
  for (std::string line; std::getline(report, line); ++lines) {
    EXPECT_LE(line.size(), kReportedLineBytes);
  }
  EXPECT_GE(lines, 5u);
}

TEST(CancelNotice, IsOneLine) {
  EXPECT_EQ(cancel_notice({SIGTERM, at(1), {}, "node1"}, 32, 15s),
            "muster: SIGTERM on node1: stopping 32 workers, SIGKILL after 15 s");
}

}  // namespace
}  // namespace muster::verdict
