// Those who cost time: slow-loris, half-open, and a member whose bytes come one by one.
#include <gtest/gtest.h>

#include "rendezvous/server_engine.h"
#include "tests/rendezvous/hostility/stranger.h"

namespace muster::rendezvous {
namespace {

constexpr Duration kPause{50};

TEST(SlowStrangers, AByteEachFiftyMillisecondsHoldsUpNobodyAndIsCutOff) {
  Meeting meeting(expected_members(2, 2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  std::vector<std::unique_ptr<Stranger>> strangers;
  std::vector<std::unique_ptr<Dribble>> dribbles;
  const std::string endless = encode(Ping{}, Generation{}).substr(0, 1) + std::string(1000, '\0');
  const std::string frame = encode(GetRequest{RequestId{1}, "key"}, Generation{});
  for (int i = 0; i < 20; ++i) {
    strangers.push_back(std::make_unique<Stranger>(*port));
    dribbles.push_back(std::make_unique<Dribble>(meeting, *strangers.back(),
                                                 i % 2 == 0 ? endless : frame, kPause));
  }
  const TimePoint begun = Clock::now();
  meeting.join_local(0);
  for (std::size_t i = 1; i < 4; ++i) meeting.join(i);
  ASSERT_TRUE(meeting.all_have_roster());
  EXPECT_LT(Clock::now() - begun, kProofDeadline);  // nobody waited for them
  EXPECT_TRUE(works(meeting));
  EXPECT_TRUE(meeting.run_until([&] {
    for (const auto& stranger : strangers)
      if (!stranger->is_closed()) return false;
    return true;
  }));
  EXPECT_TRUE(works(meeting));
}

TEST(SlowStrangers, WhoConnectAndSayNothingOrCloseHalfAreCutOff) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  Stranger silent(*port);
  Stranger half(*port);
  half.close_half();
  ASSERT_TRUE(meeting.run_until([&] { return half.is_closed(); }));
  meeting.join_local(0);
  meeting.join(1);
  ASSERT_TRUE(meeting.all_have_roster());
  EXPECT_TRUE(meeting.run_until([&] { return silent.is_closed(); }));
  EXPECT_TRUE(works(meeting));
}

// A network may deliver an honest member's bytes as it likes.
TEST(SlowStrangers, AMemberWhoseBytesComeOneByOneIsAMember) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  meeting.join_local(0);
  Stranger member(*port);
  const auto say_slowly = [&](const Message& message, Generation generation) {
    for (const char byte : encode(message, generation)) {
      ASSERT_EQ(member.say(std::string_view(&byte, 1)), 1u);
      meeting.loop.restart();
      meeting.loop.poll();
    }
  };
  const auto greeting = await_message(meeting, member);
  ASSERT_TRUE(greeting);
  say_slowly(member.join_of(meeting.options_of(1), std::get<Greeting>(*greeting)), Generation{});
  const auto welcome = await_message(meeting, member);
  ASSERT_TRUE(welcome && std::holds_alternative<Welcome>(*welcome));
  const auto prepare = await_message(meeting, member);
  ASSERT_TRUE(prepare && std::holds_alternative<Prepare>(*prepare));
  say_slowly(Ack{}, Generation{1});
  ASSERT_TRUE(meeting.run_until([&] { return meeting.observed.roster.has_value(); }));
  say_slowly(SetRequest{RequestId{1}, "key", "value"}, Generation{1});
  bool done = false;
  while (!done) {
    const auto message = await_message(meeting, member);
    ASSERT_TRUE(message);
    done = std::holds_alternative<DoneReply>(*message);
  }
}

}  // namespace
}  // namespace muster::rendezvous
