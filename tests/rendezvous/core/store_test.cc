#include "rendezvous/store.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

constexpr MemberIndex kA{0};
constexpr MemberIndex kB{1};

// "1<done 7" : member 1 gets the reply done for request 7.
std::string told(const Store::Answers& answers) {
  std::string text;
  for (const auto& [to, message] : answers) {
    text += (text.empty() ? "" : ", ") + std::to_string(value_of(to)) + "<";
    text += name_of(message);
    if (const auto* done = std::get_if<DoneReply>(&message))
      text += " " + std::to_string(value_of(done->request));
    if (const auto* value = std::get_if<ValueReply>(&message)) text += " " + value->value;
    if (const auto* number = std::get_if<NumberReply>(&message))
      text += " " + std::to_string(number->number);
    if (const auto* failed = std::get_if<FailedReply>(&message)) text += " " + failed->reason;
  }
  return text;
}

TEST(Store, GivesWhatWasSet) {
  Store store;
  EXPECT_EQ(told(store.set(kA, {RequestId{7}, "k", "v"})), "0<done 7");
  EXPECT_EQ(told(store.get(kB, {RequestId{1}, "k"})), "1<value v");
  store.set(kA, {RequestId{8}, "k", "w"});
  EXPECT_EQ(told(store.get(kB, {RequestId{2}, "k"})), "1<value w");
}

TEST(Store, WakesWaitersWhenTheKeyComes) {
  Store store;
  EXPECT_EQ(told(store.get(kB, {RequestId{1}, "k"})), "");
  EXPECT_EQ(told(store.wait(kA, {RequestId{2}, {"k"}})), "");
  EXPECT_EQ(told(store.set(kA, {RequestId{7}, "k", "v"})), "0<done 7, 0<done 2, 1<value v");
  EXPECT_EQ(store.waiters(), 0u);
}

TEST(Store, AWaitForSeveralKeysNeedsThemAll) {
  Store store;
  store.set(kA, {RequestId{1}, "a", ""});
  EXPECT_EQ(told(store.wait(kB, {RequestId{2}, {"a", "b", "c", "b"}})), "");
  EXPECT_EQ(told(store.set(kA, {RequestId{3}, "b", ""})), "0<done 3");
  EXPECT_EQ(told(store.set(kA, {RequestId{4}, "b", ""})), "0<done 4");
  EXPECT_EQ(told(store.set(kA, {RequestId{5}, "c", ""})), "0<done 5, 1<done 2");
  EXPECT_EQ(told(store.wait(kB, {RequestId{6}, {"a", "b"}})), "1<done 6");
}

TEST(Store, CountsFromNothingAndWakes) {
  Store store;
  store.get(kB, {RequestId{1}, "n"});
  EXPECT_EQ(told(store.add(kA, {RequestId{2}, "n", 5})), "0<number 5, 1<value 5");
  EXPECT_EQ(told(store.add(kA, {RequestId{3}, "n", -7})), "0<number -2");
}

TEST(Store, RefusesToCountWhatIsNoNumber) {
  Store store;
  store.set(kA, {RequestId{1}, "k", "12x"});
  EXPECT_EQ(told(store.add(kA, {RequestId{2}, "k", 1})),
            "0<failed add: the value of \"k\" is not a number");
  store.set(kA, {RequestId{3}, "k", std::to_string(INT64_MAX)});
  EXPECT_EQ(told(store.add(kA, {RequestId{4}, "k", 1})), "0<failed add: \"k\" would leave 64 bits");
}

TEST(Store, ForgetsCancelledAndDepartedWaiters) {
  Store store;
  store.get(kA, {RequestId{1}, "k"});
  store.wait(kB, {RequestId{1}, {"k", "l"}});
  store.get(kB, {RequestId{2}, "k"});
  store.cancel(kA, RequestId{1});
  store.cancel(kA, RequestId{9});
  store.forget(kB);
  EXPECT_EQ(store.waiters(), 0u);
  EXPECT_EQ(told(store.set(kA, {RequestId{3}, "k", "v"})), "0<done 3");
}

TEST(Store, LimitsTheWaitersOfAMember) {
  Store store;
  for (std::uint64_t i = 0; i < kMaxWaitersPerMember; ++i) store.get(kA, {RequestId{i}, "k"});
  EXPECT_EQ(told(store.get(kA, {RequestId{99999}, "k"})),
            "0<failed 4096 requests of this member wait");
  EXPECT_EQ(told(store.get(kB, {RequestId{1}, "k"})), "");
}

TEST(Store, LimitsItsBytesAndGivesThemBack) {
  Store store;
  const std::string value(kMaxValue, 'v');
  for (std::size_t i = 0; i < 255; ++i) store.set(kA, {RequestId{i}, std::to_string(i), value});
  store.set(kA, {RequestId{300}, "z", value.substr(0, kMaxValue - 4096)});
  EXPECT_EQ(told(store.set(kA, {RequestId{301}, "last", value})).substr(0, 27),
            "0<failed the store is full ");
  store.set(kA, {RequestId{302}, "0", ""});
  EXPECT_EQ(told(store.set(kA, {RequestId{303}, "last", value})), "0<done 303");
}

}  // namespace
}  // namespace muster::rendezvous
