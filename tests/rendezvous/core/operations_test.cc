#include "rendezvous/operations.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

constexpr TimePoint kStart{};

class OperationsTest : public testing::Test {
 protected:
  OperationsTest() { operations_.set_size(2); }

  Operations::Outcome start(std::uint64_t request, Operation operation) {
    return operations_.start(RequestId{request}, std::move(operation), Duration(1000), kStart);
  }
  // The text of the only completion: "7: value", "7: failed reason".
  static std::string told(const Operations::Outcome& outcome) {
    std::string text;
    for (const auto& [request, result] : outcome.completed) {
      text += (text.empty() ? "" : ", ") + std::to_string(value_of(request)) + ": ";
      if (!result) {
        text += "failed " + result.error().message();
      } else if (const auto* value = std::get_if<std::string>(&*result)) {
        text += *value;
      } else if (const auto* number = std::get_if<std::int64_t>(&*result)) {
        text += std::to_string(*number);
      } else if (const auto* values = std::get_if<std::vector<std::string>>(&*result)) {
        for (const std::string& each : *values) text += "[" + each + "]";
      } else {
        text += "done";
      }
    }
    return text;
  }
  std::string answer(const Message& message) {
    Operations::Outcome outcome;
    EXPECT_TRUE(operations_.accept(message, outcome));
    return told(outcome);
  }

  Operations operations_;
};

TEST_F(OperationsTest, AsksAndGivesTheAnswer) {
  EXPECT_EQ(start(1, operation::Get{"k"}).send,
            std::vector<Message>{Message(GetRequest{RequestId{1}, "k"})});
  start(2, operation::Set{"k", "v"});
  start(3, operation::Add{"n", 1});
  start(4, operation::AllGather{"g", "x"});
  start(5, operation::Broadcast{"b", MemberIndex{1}, ""});
  start(6, operation::Barrier{"c"});
  EXPECT_EQ(answer(ValueReply{RequestId{1}, "v"}), "1: v");
  EXPECT_EQ(answer(DoneReply{RequestId{2}}), "2: done");
  EXPECT_EQ(answer(NumberReply{RequestId{3}, 9}), "3: 9");
  EXPECT_EQ(answer(CollectiveDone{"g", {"x", "y"}}), "4: [x][y]");
  EXPECT_EQ(answer(CollectiveDone{"b", {"z"}}), "5: z");
  EXPECT_EQ(answer(CollectiveDone{"c", {}}), "6: done");
  EXPECT_EQ(operations_.next_deadline(), TimePoint::max());
}

TEST_F(OperationsTest, IgnoresAnswersNobodyWaitsFor) {
  EXPECT_EQ(answer(DoneReply{RequestId{9}}), "");
  EXPECT_EQ(answer(CollectiveDone{"g", {}}), "");
  EXPECT_EQ(answer(Missing{"g", 0, {}}), "");
}

TEST_F(OperationsTest, LeavesOtherMessagesAlone) {
  Operations::Outcome outcome;
  EXPECT_FALSE(operations_.accept(Message(Ping{}), outcome));
}

TEST_F(OperationsTest, TimesOutAndCancels) {
  start(1, operation::Get{"k"});
  EXPECT_EQ(operations_.next_deadline(), kStart + Duration(1000));
  EXPECT_EQ(told(operations_.expire(kStart + Duration(999))), "");
  const auto outcome = operations_.expire(kStart + Duration(1000));
  EXPECT_EQ(told(outcome), "1: failed get \"k\": not complete after 1 s");
  EXPECT_EQ(outcome.send, std::vector<Message>{Message(CancelRequest{RequestId{1}})});
}

TEST_F(OperationsTest, ACollectiveThatTimesOutNamesWhoDidNotCome) {
  start(1, operation::Barrier{"b"});
  EXPECT_EQ(operations_.next_deadline(), kStart + Duration(900));
  EXPECT_EQ(operations_.expire(kStart + Duration(900)).send,
            std::vector<Message>{Message(AskMissing{"b"})});
  answer(Missing{"b", 1, {"n1 (member 1)"}});
  const auto outcome = operations_.expire(kStart + Duration(1000));
  EXPECT_EQ(told(outcome),
            "1: failed barrier \"b\": not complete after 1 s; 1 of 2 members did not come: n1 "
            "(member 1)");
  EXPECT_EQ(outcome.send, std::vector<Message>{Message(GiveUp{"b"})});
}

TEST_F(OperationsTest, SaysWhenTheCoordinatorDidNotTell) {
  start(1, operation::Barrier{"b"});
  operations_.expire(kStart + Duration(900));
  EXPECT_EQ(told(operations_.expire(kStart + Duration(1000))),
            "1: failed barrier \"b\": not complete after 1 s; the coordinator did not say who is "
            "missing");
}

TEST_F(OperationsTest, RefusesWhatBreaksALimitBeforeItIsSent) {
  const std::string long_key(kMaxKey + 1, 'k');
  const auto outcome = start(1, operation::Set{long_key, ""});
  EXPECT_TRUE(outcome.send.empty());
  EXPECT_NE(told(outcome).find("key of 1025 bytes; at most 1024 are taken"), std::string::npos);
  EXPECT_NE(told(start(2, operation::Wait{{}})).find("no key to wait for"), std::string::npos);
  EXPECT_NE(told(start(3, operation::Barrier{""})).find("a name is needed"), std::string::npos);
  EXPECT_NE(told(start(4, operation::Broadcast{"b", MemberIndex{2}, ""})).find("no such root"),
            std::string::npos);
  EXPECT_NE(told(start(5, operation::AllGather{"g", std::string(kMaxValue + 1, 'x')}))
                .find("contribution of 1048577 bytes"),
            std::string::npos);
  EXPECT_EQ(operations_.next_deadline(), TimePoint::max());
}

TEST_F(OperationsTest, OneNameIsOpenOnce) {
  start(1, operation::Barrier{"b"});
  EXPECT_NE(told(start(2, operation::Barrier{"b"})).find("still open"), std::string::npos);
  EXPECT_EQ(answer(CollectiveDone{"b", {}}), "1: done");
}

TEST_F(OperationsTest, FailsAllWithOneReason) {
  start(2, operation::Get{"k"});
  start(1, operation::Barrier{"b"});
  EXPECT_EQ(told(operations_.fail_all(Error(ErrorCode::kUnavailable, "lost"))),
            "1: failed barrier \"b\": lost, 2: failed get \"k\": lost");
  EXPECT_NE(told(start(3, operation::Get{"k"})).find("there is no roster"), std::string::npos);
}

}  // namespace
}  // namespace muster::rendezvous
