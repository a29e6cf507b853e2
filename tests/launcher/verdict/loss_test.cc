// A lost node or agent is the cause of its peers' complaints.
#include <gtest/gtest.h>

#include <csignal>

#include "launcher/verdict/first_cause.h"
#include "tests/launcher/verdict/evidence.h"

namespace muster::verdict {
namespace {

PeerLoss lost(double last_heard, double decided, bool whole_node = true) {
  return {NodeIndex{3}, "node3", whole_node, at(last_heard), at(decided), 2, "no answer for 10 s"};
}

TEST(Loss, ExplainsThePeersComplaints) {
  const FirstCause cause =
      cause_of({.ends = {exits(0, 1, 6.0, traceback_of("RuntimeError: Connection reset by peer")),
                         stopped_at(killed(1, SIGTERM, 6.2), 6.1)},
                .losses = {lost(5.0, 15.0)}});
  EXPECT_EQ(cause.kind, CauseKind::kNodeLost);
  EXPECT_EQ(cause.place.host, "node3");
  EXPECT_EQ(cause.text, "no answer for 10 s");
  EXPECT_EQ(cause.exit_code, 85);
  EXPECT_EQ(cause.victims, 4u);
}

TEST(Loss, OfAnAgentAloneIsToldApart) {
  EXPECT_EQ(cause_of({.losses = {lost(5.0, 5.0, false)}}).kind, CauseKind::kAgentLost);
}

TEST(Loss, AfterAWorkersFailureIsNotTheCause) {
  const FirstCause cause = cause_of({.ends = {exits(0, 3, 2.0)}, .losses = {lost(5.0, 15.0)}});
  EXPECT_EQ(cause.exit_code, 3);
  EXPECT_EQ(cause.victims, 2u);
}

TEST(Loss, DuringTheStopIsNotTheCauseOfAComplaint) {
  const FirstCause cause = cause_of({.ends = {exits(0, 1, 2.0, {"Connection reset by peer"}),
                                              stopped_at(killed(1, SIGTERM, 2.2), 2.1)},
                                     .losses = {lost(5.0, 15.0)}});
  EXPECT_EQ(cause.kind, CauseKind::kWorker);
  EXPECT_TRUE(cause.complaint);
}

TEST(Loss, DuringACancelIsNotTheCause) {
  EXPECT_EQ(
      cause_of({.losses = {lost(4.0, 14.0)}, .cancel = Cancel{SIGTERM, at(5.0), {}, "node0"}}).kind,
      CauseKind::kCancel);
}

TEST(Loss, BeforeACancelIsTheCause) {
  EXPECT_EQ(
      cause_of({.losses = {lost(4.0, 14.0)}, .cancel = Cancel{SIGTERM, at(60.0), {}, "node0"}})
          .kind,
      CauseKind::kNodeLost);
}

}  // namespace
}  // namespace muster::verdict
