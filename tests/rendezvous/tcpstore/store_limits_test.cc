// Each limit of the store: what is within passes, what is beyond closes that connection alone.
#include <gtest/gtest.h>

#include "rendezvous/tcpstore/store_engine.h"
#include "tests/rendezvous/tcpstore/wire.h"

namespace muster::tcpstore {
namespace {

using enum Operation;

constexpr ClientSlot kClient{0}, kOther{1};

struct Store {
  explicit Store(StoreLimits limits) : engine(limits) {
    for (const ClientSlot client : {kClient, kOther}) engine.accept(client);
    engine.receive(kOther, wire::validate());
  }

  // Why the new-era client is closed after these bytes; "" when it is not.
  std::string breach(const std::string& bytes) {
    engine.receive(kClient, wire::validate() + bytes);
    return why();
  }
  std::string why() {
    const auto closings = engine.take_closings();
    if (closings.empty()) return "";
    EXPECT_EQ(closings.front().client, kClient);
    engine.disconnect(kClient);
    engine.receive(kOther, wire::opcode(kPing) + wire::number(std::uint32_t{1}));
    EXPECT_NE(engine.unsent(kOther), "");  // the other one is served on
    return closings.front().why.message();
  }

  StoreEngine engine;
};

TEST(StoreLimits, BoundTheKeysThoseOnlyWaitedForIncluded) {
  StoreLimits limits;
  limits.keys = 2;
  EXPECT_EQ(Store(limits).breach(wire::set("a", "") + wire::set("b", "") + wire::set("a", "1")),
            "");
  const std::string full = "the store is full: it holds at most 2 keys";
  EXPECT_EQ(Store(limits).breach(wire::set("a", "") + wire::set("b", "") + wire::set("c", "")),
            full);
  Store waited(limits);
  EXPECT_EQ(waited.breach(wire::wait({"a", "b", "c"})), full);
  EXPECT_EQ(waited.engine.table().records(), 0u);
}

TEST(StoreLimits, BoundTheBytes) {
  StoreLimits limits;
  limits.bytes = 10;
  EXPECT_EQ(Store(limits).breach(wire::set("k", "123456789")), "");
  EXPECT_EQ(Store(limits).breach(wire::set("k", "123456789") + wire::set("k", "12345678")), "");
  const std::string full = "the store is full: it holds at most 10 bytes";
  Store store(limits);
  EXPECT_EQ(store.breach(wire::set("k", "1234567890")), full);
  EXPECT_EQ(store.engine.table().bytes(), 0u);
  EXPECT_EQ(store.engine.table().records(), 0u);
  EXPECT_EQ(Store(limits).breach(wire::request(kAppend, {"k", "1234567890"})), full);
  EXPECT_EQ(Store(limits).breach(wire::request(kQueuePush, {"k", "1234567890"})), full);
  EXPECT_EQ(Store(limits).breach(wire::wait({"a key too long"})), full);
  EXPECT_EQ(Store(limits).breach(wire::set("123456789", "") + wire::add("123456789", 10)),
            "a number is to be added to '123456789', whose value is none");
  EXPECT_EQ(Store(limits).breach(wire::add("123456789", 10)), full);
}

TEST(StoreLimits, BoundTheQueuedItems) {
  StoreLimits limits;
  limits.queued_items = 2;
  const std::string push = wire::request(kQueuePush, {"q", ""});
  EXPECT_EQ(Store(limits).breach(push + push + wire::request(kQueuePop, {"q"}) + push), "");
  EXPECT_EQ(Store(limits).breach(push + push + push),
            "the store is full: it holds at most 2 queued items");
}

TEST(StoreLimits, BoundTheWaits) {
  StoreLimits limits;
  limits.waits = 2;
  EXPECT_EQ(Store(limits).breach(wire::wait({"a", "b"})), "");
  Store store(limits);
  EXPECT_EQ(store.breach(wire::wait({"a", "b", "c"})), "too many waits: at most 2 in all");
  EXPECT_EQ(store.engine.waits(), 0u);
  EXPECT_EQ(store.engine.table().records(), 0u);
}

TEST(StoreLimits, BoundTheWatches) {
  StoreLimits limits;
  limits.watches_per_client = 1;
  Store store(limits);
  const std::string watch = wire::old(7, wire::request(kWatchKey, {"w"}));
  store.engine.receive(kClient, watch);
  EXPECT_EQ(store.why(), "");
  store.engine.receive(kClient, watch);
  EXPECT_EQ(store.why(), "too many keys watched: at most 1");
}

TEST(StoreLimits, BoundAppendedValues) {
  const std::string append = wire::request(kAppend, {"k", std::string(kMaxValue, 'v')});
  Store store({});
  for (std::size_t size = 0; size < kMaxAppended; size += kMaxValue)
    store.engine.receive(kOther, append);
  EXPECT_EQ(store.breach(wire::get("k")), "");  // can be had back
  store.engine.receive(kClient, wire::request(kAppend, {"k", "1"}));
  EXPECT_EQ(store.why(), "APPEND would make a value of 134217729 bytes, at most 134217728");
}

TEST(StoreLimits, BoundTheBacklogOfRepliesHoweverTheyArise) {
  StoreLimits limits;
  limits.backlog = 100;
  const std::string text(40, 'v');  // 48 bytes as a reply
  const std::string why = "it does not take its replies: ";
  const std::string set = wire::set("k", text);
  EXPECT_EQ(Store(limits).breach(set + wire::get("k") + wire::get("k")), "");
  EXPECT_EQ(Store(limits).breach(set + wire::get("k") + wire::get("k") + wire::get("k")),
            why + "144 bytes wait, at most 100");
  EXPECT_EQ(Store(limits).breach(set + wire::list(kMultiGet, 4, {"k", "k", "k", "k"})),
            why + "144 bytes wait, at most 100");
  EXPECT_EQ(Store(limits).breach(set + wire::wait({"x"}) + wire::get("k") + wire::get("k") +
                                 wire::get("k")),
            why + "144 bytes wait, at most 100");
  EXPECT_EQ(Store(limits).breach(wire::set(std::string(60, '1'), "") +
                                 wire::set(std::string(60, '2'), "") + wire::opcode(kListKeys)),
            why + "144 bytes wait, at most 100");
}

TEST(StoreLimits, BoundTheBacklogOfAWatcherThatDoesNotRead) {
  StoreLimits limits;
  limits.backlog = 100;
  Store store(limits);
  store.engine.receive(kClient, wire::old(7, wire::request(kWatchKey, {"w"})));
  for (int i = 0; i < 10; ++i) store.engine.receive(kOther, wire::set("w", "12345678"));
  EXPECT_NE(store.why().find("it does not take its replies"), std::string::npos);
}

}  // namespace
}  // namespace muster::tcpstore
