// After the roster: messages, store and collectives, members that leave or die.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

constexpr Duration kLong = std::chrono::seconds(20);

template <class T>
struct Answer {
  std::optional<Result<T>> result;
  Completion<T> completion() {
    return [this](Result<T> value) { result = std::move(value); };
  }
};

TEST(Messages, KeepTheirOrderBothWays) {
  Meeting meeting(expected_members(3));
  ASSERT_TRUE(meeting.assemble());
  for (int i = 0; i < 100; ++i) {
    meeting.members[2]->session->send("up " + std::to_string(i));
    meeting.server->send(MemberIndex{1}, "down " + std::to_string(i));
  }
  meeting.server->send_to_all("everyone");
  ASSERT_TRUE(meeting.run_until([&] {
    return meeting.observed.messages.size() == 100 && meeting.members[1]->messages.size() == 101 &&
           meeting.members[0]->messages.size() == 1;
  }));
  EXPECT_EQ(meeting.observed.messages[99],
            (std::pair<MemberIndex, std::string>(MemberIndex{2}, "up 99")));
  EXPECT_EQ(meeting.members[1]->messages[99], "down 99");
  EXPECT_EQ(meeting.members[1]->messages[100], "everyone");
}

TEST(Store, AnswersAcrossMembers) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.assemble());
  Session& first = *meeting.members[0]->session;
  Session& second = *meeting.members[1]->session;
  Answer<std::string> value;
  Answer<void> waited;
  Answer<void> stored;
  Answer<std::int64_t> sum;
  second.get("key", kLong, value.completion());
  second.wait({"key", "counter"}, kLong, waited.completion());
  first.set("key", std::string(1u << 20, 'x'), kLong, stored.completion());
  first.add("counter", 5, kLong, sum.completion());
  ASSERT_TRUE(meeting.run_until([&] { return value.result && waited.result && sum.result; }));
  EXPECT_EQ(**value.result, std::string(1u << 20, 'x'));
  EXPECT_TRUE(*waited.result);
  EXPECT_EQ(**sum.result, 5);
  Answer<std::string> never;
  second.get("absent", std::chrono::milliseconds(50), never.completion());
  ASSERT_TRUE(meeting.run_until([&] { return never.result.has_value(); }));
  EXPECT_EQ(never.result->error().code(), ErrorCode::kTimeout);
}

TEST(Collectives, CompleteForAll) {
  Meeting meeting(expected_members(8));
  ASSERT_TRUE(meeting.assemble());
  std::vector<Answer<std::vector<std::string>>> gathered(8);
  std::vector<Answer<std::string>> told(8);
  for (std::size_t i = 0; i < 8; ++i) {
    Session& session = *meeting.members[i]->session;
    session.all_gather("g", std::to_string(i), kLong, gathered[i].completion());
    session.broadcast("b", MemberIndex{3}, i == 3 ? "root's" : "", kLong, told[i].completion());
  }
  ASSERT_TRUE(meeting.run_until([&] { return gathered[7].result && told[7].result; }));
  EXPECT_EQ(**gathered[7].result,
            (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
  EXPECT_EQ(**told[7].result, "root's");
}

TEST(Loss, OfAMemberInABarrierIsToldByName) {
  Meeting meeting(expected_members(3));
  ASSERT_TRUE(meeting.assemble());
  Answer<void> first;
  Answer<void> second;
  meeting.members[0]->session->barrier("b", kLong, first.completion());
  meeting.members[1]->session->barrier("b", kLong, second.completion());
  meeting.members[2]->session.reset();
  ASSERT_TRUE(meeting.run_until([&] { return first.result && second.result; }));
  ASSERT_FALSE(*second.result);
  EXPECT_TRUE(contains(second.result->error().message(), "host2"))
      << second.result->error().message();
  ASSERT_EQ(meeting.observed.losses.size(), 1u);
  EXPECT_EQ(meeting.observed.losses[0].member, MemberIndex{2});
  EXPECT_EQ(meeting.observed.losses[0].kind, LossKind::kDisconnected);
}

TEST(Loss, OfTheServerEndsTheSessions) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.assemble());
  meeting.server.reset();
  EXPECT_TRUE(
      meeting.run_until([&] { return meeting.members[0]->closed && meeting.members[1]->closed; }));
}

TEST(Close, TellsTheMembersWhyThoughTheServerIsDestroyedNext) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.assemble());
  meeting.server->close("cancelled by the user", std::chrono::seconds(2));
  meeting.server.reset();
  ASSERT_TRUE(
      meeting.run_until([&] { return meeting.members[0]->closed && meeting.members[1]->closed; }));
  EXPECT_TRUE(contains(meeting.members[1]->closed->message(), "cancelled by the user"))
      << meeting.members[1]->closed->message();
}

TEST(Leave, IsAcknowledgedAndIsNoLoss) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.assemble());
  Answer<void> left;
  meeting.members[1]->session->leave(kLong, left.completion());
  ASSERT_TRUE(meeting.run_until([&] { return left.result.has_value(); }));
  EXPECT_TRUE(*left.result);
  ASSERT_TRUE(meeting.run_until([&] { return meeting.observed.left.size() == 1; }));
  EXPECT_TRUE(meeting.observed.losses.empty());
  EXPECT_FALSE(meeting.members[1]->closed);
}

std::set<int> open_descriptors() {
  std::set<int> open;
  DIR* const directory = ::opendir("/proc/self/fd");
  const int own = ::dirfd(directory);
  while (const dirent* entry = ::readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != own) open.insert(fd);
  }
  ::closedir(directory);
  return open;
}

TEST(Descriptors, AreAllCloseOnExecAndNoneIsLeftBehind) {
  const std::set<int> before = open_descriptors();
  {
    Meeting meeting(expected_members(4));
    meeting.session_options.successors = {{NodeIndex{}, {"127.0.0.1", "::1", "localhost"}}};
    ASSERT_TRUE(meeting.assemble());
    for (const int fd : open_descriptors()) {
      if (before.count(fd) == 0) {
        EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << fd;
      }
    }
    meeting.server->close("end", std::chrono::milliseconds(100));
    meeting.members.clear();
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace muster::rendezvous
