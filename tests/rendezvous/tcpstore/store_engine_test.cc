// What every operation does, who is woken, and in which order replies go out.
#include "rendezvous/tcpstore/store_engine.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/rendezvous/tcpstore/wire.h"

namespace muster::tcpstore {
namespace {

using enum Operation;

constexpr ClientSlot kA{0}, kB{1}, kC{2}, kOldClient{7};

class StoreEngineTest : public testing::Test {
 protected:
  void SetUp() override { reset({}); }

  void reset(StoreLimits limits) {
    engine = StoreEngine(limits);
    for (const ClientSlot client : {kA, kB, kC}) {
      engine.accept(client);
      say(client, wire::validate());
    }
    engine.accept(kOldClient);
  }

  // What is sent to `client` after it has said `bytes`.
  std::string say(ClientSlot client, const std::string& bytes) {
    engine.receive(client, bytes);
    return heard(client);
  }

  std::string heard(ClientSlot client) {
    const std::string bytes(engine.unsent(client));
    engine.note_sent(client, bytes.size());
    return bytes;
  }

  std::string why_closed(ClientSlot client) {
    for (Closing& closing : engine.take_closings()) {
      if (closing.client != client) return "someone else is closed";
      engine.disconnect(client);
      return closing.why.message();
    }
    return "open";
  }

  StoreEngine engine;
};

TEST_F(StoreEngineTest, AnswersAPingWithItsNonce) {
  EXPECT_EQ(say(kA, wire::opcode(kPing) + wire::number(std::uint32_t{99})),
            wire::number(std::uint32_t{99}));
}

TEST_F(StoreEngineTest, GetsWhatWasSetAndNothingForAMissingKey) {
  EXPECT_EQ(say(kA, wire::set("k", "v1") + wire::set("k", "v2")), "");
  EXPECT_EQ(say(kB, wire::get("k") + wire::get("none")), wire::string("v2") + wire::string(""));
}

TEST_F(StoreEngineTest, ComparesBeforeItSets) {
  const auto compare_set = [this](std::string_view expected, std::string_view desired) {
    return say(kA, wire::request(kCompareSet, {"k", expected, desired}));
  };
  EXPECT_EQ(compare_set("other", "1"), wire::string("other"));  // stores nothing
  EXPECT_EQ(say(kA, wire::check({"k"})), wire::number(kNotReady));
  EXPECT_EQ(compare_set("", "1"), wire::string("1"));
  EXPECT_EQ(compare_set("", "2"), wire::string("1"));
  EXPECT_EQ(compare_set("1", "2"), wire::string("2"));
  EXPECT_EQ(say(kA, wire::get("k")), wire::string("2"));
}

TEST_F(StoreEngineTest, KeepsNumbersAsText) {
  EXPECT_EQ(say(kA, wire::add("n", 5)), wire::number(std::int64_t{5}));
  EXPECT_EQ(say(kB, wire::add("n", -7)), wire::number(std::int64_t{-2}));
  EXPECT_EQ(say(kB, wire::get("n")), wire::string("-2"));
  EXPECT_EQ(say(kB, wire::set("n", "40") + wire::add("n", 2)), wire::number(std::int64_t{42}));
}

TEST_F(StoreEngineTest, AddsToTheNumberThatATextBeginsWith) {
  const std::map<std::string, std::int64_t> texts{
      {"40\n", 40}, {" \t\n\v\f\r7", 7}, {"+5", 5},  {"-3.9", -3},
      {"12x", 12},  {"0x10", 0},         {"007", 7}, {std::string("1\0002", 3), 1},
  };
  for (const auto& [text, number] : texts) {
    EXPECT_EQ(say(kA, wire::set("n", text) + wire::add("n", 1)), wire::number(number + 1)) << text;
    EXPECT_EQ(say(kA, wire::get("n")), wire::string(std::to_string(number + 1)));
  }
  for (const std::string text :
       {"", " ", "+", "-", "+-5", "- 5", "x", "9223372036854775808", "-9223372036854775809"}) {
    reset({});
    EXPECT_EQ(say(kA, wire::set("n", text) + wire::add("n", 1)), "") << text;
    EXPECT_EQ(why_closed(kA), "a number is to be added to 'n', whose value is none") << text;
    EXPECT_EQ(say(kB, wire::barrier("n", 1)), "") << text;
    EXPECT_NE(why_closed(kB), "open") << text;
  }
}

TEST_F(StoreEngineTest, ClosesWhoAddsToAWordAndNobodyElse) {
  EXPECT_EQ(say(kA, wire::set("word", "x12") + wire::add("word", 1)), "");
  EXPECT_EQ(why_closed(kA), "a number is to be added to 'word', whose value is none");
  EXPECT_EQ(say(kB, wire::get("word")), wire::string("x12"));
  say(kB, wire::set("big", "9223372036854775807") + wire::add("big", 1));
  EXPECT_EQ(why_closed(kB), "the sum at 'big' does not fit into 64 bits");
}

TEST_F(StoreEngineTest, ServesNothingBehindABreach) {
  say(kA, wire::set("word", "x") + wire::add("word", 1) + wire::set("after", "1"));
  engine.receive(kA, wire::set("after", "1"));
  EXPECT_EQ(say(kB, wire::check({"after"})), wire::number(kNotReady));
}

TEST_F(StoreEngineTest, ChecksCountsListsAndDeletesKeys) {
  say(kA, wire::set("a", "1") + wire::set("b", "2"));
  EXPECT_EQ(say(kA, wire::check({"a", "b"})), wire::number(kReady));
  EXPECT_EQ(say(kA, wire::check({"a", "c"})), wire::number(kNotReady));
  EXPECT_EQ(say(kA, wire::opcode(kCountKeys)), wire::number(std::int64_t{2}));
  EXPECT_EQ(say(kA, wire::request(kDeleteKey, {"b"})), wire::number(std::int64_t{1}));
  EXPECT_EQ(say(kA, wire::request(kDeleteKey, {"b"})), wire::number(std::int64_t{0}));
  EXPECT_EQ(say(kA, wire::opcode(kListKeys)), wire::number(std::int64_t{1}) + wire::string("a"));
  EXPECT_EQ(say(kA, wire::opcode(kCountKeys)), wire::number(std::int64_t{1}));
}

TEST_F(StoreEngineTest, AppendsAndCreates) {
  EXPECT_EQ(say(kA, wire::request(kAppend, {"k", "ab"}) + wire::request(kAppend, {"k", "c"})), "");
  EXPECT_EQ(say(kA, wire::get("k")), wire::string("abc"));
}

TEST_F(StoreEngineTest, SetsAndGetsMany) {
  EXPECT_EQ(say(kA, wire::list(kMultiSet, 2, {"a", "1", "b", "22"})), "");
  EXPECT_EQ(say(kA, wire::list(kMultiGet, 3, {"b", "none", "a"})),
            wire::string("22") + wire::string("") + wire::string("1"));
}

TEST_F(StoreEngineTest, AnswersAWaitOnceWhenAllKeysHaveCome) {
  EXPECT_EQ(say(kA, wire::wait({"x", "y", "x"})), "");
  say(kB, wire::set("x", "1"));
  EXPECT_EQ(heard(kA), "");
  say(kB, wire::add("y", 1));
  EXPECT_EQ(heard(kA), wire::kStop);
  say(kB, wire::set("x", "2"));
  EXPECT_EQ(heard(kA), "");
  EXPECT_EQ(say(kA, wire::wait({"x"}) + wire::wait({})), wire::kStop + wire::kStop);
}

TEST_F(StoreEngineTest, WakesForEveryWayAKeyCanCome) {
  const std::map<std::string, std::string> ways{
      {"set", wire::set("k", "1")},
      {"add", wire::add("k", 1)},
      {"append", wire::request(kAppend, {"k", "1"})},
      {"compare_set", wire::request(kCompareSet, {"k", "", "1"})},
      {"multi_set", wire::list(kMultiSet, 1, {"k", "1"})},
      {"queue_push", wire::request(kQueuePush, {"k", "1"})},
  };
  for (const auto& [name, bytes] : ways) {
    reset({});
    EXPECT_EQ(say(kA, wire::wait({"k"})), "");
    say(kB, bytes);
    EXPECT_EQ(heard(kA), wire::kStop) << name;
    EXPECT_EQ(engine.waits(), 0u);
  }
}

TEST_F(StoreEngineTest, WakesNobodyWhenCompareSetStoresNothing) {
  say(kA, wire::wait({"k"}));
  say(kB, wire::request(kCompareSet, {"k", "expected", "1"}));
  EXPECT_EQ(heard(kA), "");
}

TEST_F(StoreEngineTest, CancelsAnOpenWaitAndAlwaysAnswersOnce) {
  EXPECT_EQ(say(kA, wire::cancel_wait()), wire::kCanceled);
  say(kA, wire::wait({"k"}));
  EXPECT_EQ(say(kA, wire::cancel_wait()), wire::kCanceled);
  say(kB, wire::set("k", "1"));
  EXPECT_EQ(heard(kA), "");
  EXPECT_EQ(say(kA, wire::get("k")), wire::string("1"));
}

TEST_F(StoreEngineTest, AnswersBothWhenTheKeyAndTheCancelCross) {
  say(kA, wire::wait({"k"}));
  engine.receive(kB, wire::set("k", "1"));
  EXPECT_EQ(say(kA, wire::cancel_wait()), wire::kStop + wire::kCanceled);
}

TEST_F(StoreEngineTest, HoldsRepliesBehindAnOpenWait) {
  EXPECT_EQ(say(kA, wire::wait({"k"}) + wire::set("own", "1") + wire::get("own")), "");
  EXPECT_EQ(say(kB, wire::get("own")), wire::string("1"));  // served at once
  say(kB, wire::set("k", "1"));
  EXPECT_EQ(heard(kA), wire::kStop + wire::string("1"));

  EXPECT_EQ(say(kA, wire::wait({"late"}) + wire::get("own")), "");
  EXPECT_EQ(say(kA, wire::cancel_wait()), wire::kCanceled + wire::string("1"));
  EXPECT_EQ(say(kA, wire::wait({"late"}) + wire::set("late", "1")), wire::kStop);
}

TEST_F(StoreEngineTest, ClosesWhoOpensASecondWaitBehindAnOpenOne) {
  say(kA, wire::wait({"x"}) + wire::wait({"y"}));
  EXPECT_EQ(why_closed(kA), "a second WAIT or BARRIER behind an open one");
  EXPECT_EQ(engine.waits(), 0u);
}

TEST_F(StoreEngineTest, ForgetsAWaitOfTheOldEraWhenItsClientSpeaksAgain) {
  EXPECT_EQ(say(kOldClient, wire::old(5, wire::wait({"k"}))), "");
  EXPECT_EQ(say(kOldClient, wire::old(3, wire::add("n", 1))), wire::number(std::int64_t{1}));
  say(kB, wire::set("k", "1"));
  EXPECT_EQ(heard(kOldClient), "");  // a late byte would spoil the next reply
  EXPECT_EQ(say(kOldClient, wire::old(5, wire::wait({"k"}))), wire::kStop);
}

TEST_F(StoreEngineTest, TellsAWatcherWhatHappens) {
  EXPECT_EQ(say(kOldClient, wire::old(7, wire::request(kWatchKey, {"w"}))),
            wire::number(kWatchRegistered));
  const auto change = [](std::uint8_t what, std::string_view before, std::string_view after) {
    return wire::number(what) + wire::string("w") + wire::string(before) + wire::string(after);
  };
  say(kA, wire::set("w", "1"));
  EXPECT_EQ(heard(kOldClient), change(kKeyCreated, "", "1"));
  say(kA, wire::add("w", 1));
  EXPECT_EQ(heard(kOldClient), change(kKeyUpdated, "1", "2"));
  say(kA, wire::request(kDeleteKey, {"w"}));
  EXPECT_EQ(heard(kOldClient), change(kKeyDeleted, "2", ""));
  engine.disconnect(kOldClient);
  say(kA, wire::set("w", "3"));
  EXPECT_EQ(engine.table().records(), 1u);
}

TEST_F(StoreEngineTest, KeepsOnlyWhatIsLeftOfAReaderThatIsNeverQuiteDone) {
  const std::string value(1000, 'v');
  say(kB, wire::set("k", value));
  for (int i = 0; i < 1000; ++i) {
    engine.receive(kA, wire::get("k"));
    engine.note_sent(kA, engine.unsent(kA).size() - 1);
    ASSERT_LT(engine.buffered(kA), 16u * 1024) << "after " << i;
  }
  EXPECT_EQ(say(kA, wire::get("k")), "v" + wire::string(value));
}

TEST_F(StoreEngineTest, KeepsQueuesBesideValues) {
  const std::string pop = wire::request(kQueuePop, {"q"});
  const std::string length = wire::request(kQueueLength, {"q"});
  EXPECT_EQ(say(kA, pop), wire::number(std::int64_t{0}));
  say(kA, wire::request(kQueuePush, {"q", "1"}) + wire::request(kQueuePush, {"q", "22"}));
  EXPECT_EQ(say(kB, length), wire::number(std::int64_t{2}));
  EXPECT_EQ(say(kB, wire::check({"q"})), wire::number(kReady));
  EXPECT_EQ(say(kB, wire::opcode(kCountKeys)), wire::number(std::int64_t{0}));
  EXPECT_EQ(say(kB, pop), wire::number(std::int64_t{2}) + wire::string("1"));
  EXPECT_EQ(say(kB, pop), wire::number(std::int64_t{1}) + wire::string("22"));
  EXPECT_EQ(say(kB, wire::check({"q"})), wire::number(kNotReady));
  EXPECT_EQ(engine.table().records(), 0u);
  EXPECT_EQ(engine.table().bytes(), 0u);
}

TEST_F(StoreEngineTest, WakesOneWaiterForEachItemInTheOrderTheyCame) {
  say(kA, wire::wait({"q"}));
  say(kB, wire::wait({"q"}));
  say(kC, wire::request(kQueuePush, {"q", "1"}));
  EXPECT_EQ(heard(kA), wire::kStop);
  EXPECT_EQ(heard(kB), "");
  say(kC, wire::request(kQueuePush, {"q", "2"}));
  EXPECT_EQ(heard(kB), wire::kStop);
}

TEST_F(StoreEngineTest, AnItemWakesTheNextWaiterWhenTheFirstWaitsForMore) {
  say(kA, wire::wait({"q", "other"}));
  say(kB, wire::wait({"q"}));
  say(kC, wire::request(kQueuePush, {"q", "1"}));
  EXPECT_EQ(heard(kA), "");
  EXPECT_EQ(heard(kB), wire::kStop);
  say(kC, wire::set("other", "1"));
  EXPECT_EQ(heard(kA), wire::kStop);
}

TEST_F(StoreEngineTest, LetsABarrierGoWhenAllHaveCome) {
  EXPECT_EQ(say(kA, wire::barrier("b", 3)), "");
  EXPECT_EQ(say(kB, wire::barrier("b", 3)), "");
  EXPECT_EQ(heard(kA), "");
  EXPECT_EQ(say(kC, wire::barrier("b", 3)), wire::kStop);
  EXPECT_EQ(heard(kA) + heard(kB), wire::kStop + wire::kStop);
  EXPECT_EQ(say(kA, wire::barrier("b", 3)), wire::kStop);
  EXPECT_EQ(say(kA, wire::get("b")), wire::string("4"));
}

TEST_F(StoreEngineTest, CountsACancelledBarrier) {
  say(kA, wire::barrier("b", 2));
  EXPECT_EQ(say(kA, wire::cancel_wait()), wire::kCanceled);
  EXPECT_EQ(say(kB, wire::barrier("b", 2)), wire::kStop);
  EXPECT_EQ(heard(kA), "");
}

TEST_F(StoreEngineTest, ForgetsTheWaitsOfAClosedConnection) {
  say(kA, wire::wait({"x", "y"}));
  engine.disconnect(kA);
  EXPECT_EQ(engine.waits(), 0u);
  EXPECT_EQ(engine.table().records(), 0u);
  engine.accept(kA);  // the slot of another connection now
  say(kB, wire::list(kMultiSet, 2, {"x", "1", "y", "1"}));
  EXPECT_EQ(heard(kA), "");
}

TEST_F(StoreEngineTest, NamesEachReadyClientOnce) {
  engine.receive(kA, wire::wait({"k"}));
  engine.receive(kB, wire::wait({"k"}));
  engine.receive(kC, wire::set("k", "1") + wire::get("k") + wire::get("k"));
  std::vector<ClientSlot> ready;
  engine.take_ready(ready);
  EXPECT_EQ(ready.size(), 3u);
  ready.clear();
  engine.take_ready(ready);
  EXPECT_TRUE(ready.empty());
}

TEST_F(StoreEngineTest, GoesOnWhereASendStopped) {
  engine.receive(kA, wire::set("k", "value") + wire::get("k"));
  const std::string reply = wire::string("value");
  engine.note_sent(kA, 3);
  EXPECT_EQ(engine.unsent(kA), reply.substr(3));
  engine.receive(kA, wire::get("k"));
  EXPECT_EQ(engine.unsent(kA), reply.substr(3) + reply);
}

}  // namespace
}  // namespace muster::tcpstore
