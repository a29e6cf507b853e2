// Nodes whose clocks disagree: munge opens no credential of the past or of the future.
#include <gtest/gtest.h>

#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

class ClockSkew : public testing::TestWithParam<const char*> {
 protected:
  static Authentication at(const std::string& time) {
    return {AuthenticationMethod::kMunge, "", time};
  }
};

TEST_P(ClockSkew, IsNamedAndKeepsOutOnlyTheNodeThatHasIt) {
  Meeting meeting(expected_members(3));
  meeting.server_options.authentication = at("/now");
  meeting.session_options.authentication = at("/now");
  ASSERT_TRUE(meeting.open_server());
  meeting.join_local(0);
  RecordingMember& right = meeting.join(1);
  SessionOptions options = meeting.options_of(2);
  options.authentication = at(GetParam());
  options.deadline = std::chrono::seconds(2);
  RecordingMember& skewed = meeting.join(options);
  ASSERT_TRUE(meeting.run_until([&] { return skewed.closed.has_value(); }));
  const std::string expected = GetParam() == std::string("/past") ? "expired" : "from the future";
  EXPECT_TRUE(contains(skewed.closed->message(), expected)) << skewed.closed->message();
  EXPECT_TRUE(meeting.observed.noted(expected));
  EXPECT_LE(meeting.observed.notes.size(), 5u);  // it tried again and again
  EXPECT_FALSE(right.closed);
  EXPECT_FALSE(meeting.observed.roster);
  meeting.join(2);  // its clock was set
  EXPECT_TRUE(meeting.run_until([&] { return right.roster && meeting.observed.roster; }));
}

INSTANTIATE_TEST_SUITE_P(Clocks, ClockSkew, testing::Values("/past", "/future"));

}  // namespace
}  // namespace muster::rendezvous
