#include "rendezvous/tcpstore/request_stream.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "rendezvous/tcpstore/limits.h"
#include "tests/rendezvous/tcpstore/wire.h"

namespace muster::tcpstore {
namespace {

// A request as text, so that views may die.
std::string text_of(const Request& request) {
  struct Writer {
    std::string operator()(const Validate& r) { return wire::number(r.magic); }
    std::string operator()(const Ping& r) { return wire::number(r.nonce); }
    std::string operator()(const Set& r) { return wire::string(r.key) + wire::string(r.value); }
    std::string operator()(const CompareSet& r) {
      return wire::string(r.key) + wire::string(r.expected) + wire::string(r.desired);
    }
    std::string operator()(const Get& r) { return wire::string(r.key); }
    std::string operator()(const Add& r) { return wire::string(r.key) + wire::number(r.delta); }
    std::string operator()(const Check& r) { return list(r.keys); }
    std::string operator()(const Wait& r) { return list(r.keys); }
    std::string operator()(const CountKeys&) { return ""; }
    std::string operator()(const DeleteKey& r) { return wire::string(r.key); }
    std::string operator()(const Append& r) { return wire::string(r.key) + wire::string(r.value); }
    std::string operator()(const MultiGet& r) { return list(r.keys); }
    std::string operator()(const MultiSet& r) { return list(r.pairs); }
    std::string operator()(const CancelWait&) { return ""; }
    std::string operator()(const QueuePush& r) {
      return wire::string(r.key) + wire::string(r.value);
    }
    std::string operator()(const QueuePop& r) { return wire::string(r.key); }
    std::string operator()(const QueueLength& r) { return wire::string(r.key); }
    std::string operator()(const ListKeys&) { return ""; }
    std::string operator()(const Barrier& r) {
      return wire::string(r.key) + wire::number(r.members);
    }
    std::string operator()(const WatchKey& r) { return wire::string(r.key); }
    static std::string list(const FieldList& fields) {
      return wire::number(fields.count) + std::string(fields.bytes);
    }
  };
  return wire::opcode(operation_of(request)) + std::visit(Writer(), request);
}

std::vector<std::string> new_requests() {
  using enum Operation;
  return {wire::validate(),
          wire::opcode(kPing) + wire::number(std::uint32_t{12345}),
          wire::set("/k", "value"),
          wire::request(kCompareSet, {"/k", "", "desired"}),
          wire::get("/k"),
          wire::add("init/", -7),
          wire::check({"a", "", "ccc"}),
          wire::wait({"a"}),
          wire::wait({}),
          wire::opcode(kCountKeys),
          wire::request(kDeleteKey, {"/k"}),
          wire::request(kAppend, {"/k", "more"}),
          wire::list(kMultiGet, 2, {"a", "b"}),
          wire::list(kMultiSet, 2, {"a", "1", "b", "2"}),
          wire::cancel_wait(),
          wire::request(kQueuePush, {"q", "item"}),
          wire::request(kQueuePop, {"q"}),
          wire::request(kQueueLength, {"q"}),
          wire::opcode(kListKeys),
          wire::barrier("b", 3)};
}

std::vector<std::string> old_requests() {
  using enum Operation;
  return {wire::old(0, wire::set("/k", "value")),
          wire::old(1, wire::request(kCompareSet, {"/k", "1", "2"})),
          wire::old(2, wire::get("/k")),
          wire::old(3, wire::add("n", 1)),
          wire::old(4, wire::check({"a"})),
          wire::old(5, wire::wait({"a", "b"})),
          wire::old(6, wire::opcode(kCountKeys)),
          wire::old(7, wire::request(kWatchKey, {"w"})),
          wire::old(8, wire::request(kDeleteKey, {"/k"}))};
}

std::string joined(const std::vector<std::string>& requests) {
  std::string bytes;
  for (const std::string& request : requests) bytes += request;
  return bytes;
}

// All requests of `pieces`, with the new era's opcodes; what breaks the stream is the last one.
std::vector<std::string> requests_of(RequestStream& stream,
                                     const std::vector<std::string>& pieces) {
  std::vector<std::string> found;
  for (const std::string& piece : pieces) {
    stream.feed(piece);
    Request request;
    while (true) {
      const Result<bool> whole = stream.next(request);
      if (!whole) {
        found.push_back("error: " + whole.error().message());
        return found;
      }
      if (!*whole) break;
      found.push_back(text_of(request));
    }
  }
  return found;
}

std::string error_of(const std::string& bytes) {
  RequestStream stream;
  const auto found = requests_of(stream, {bytes});
  return found.empty() ? "" : found.back();
}

TEST(RequestStream, GivesTheSameRequestsWhereverTheBytesAreCut) {
  const std::string bytes = joined(new_requests());
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    RequestStream stream;
    const auto found = requests_of(stream, {bytes.substr(0, cut), bytes.substr(cut)});
    ASSERT_EQ(found, new_requests()) << "cut at " << cut;
    EXPECT_EQ(stream.era(), Era::kNew);
  }
}

TEST(RequestStream, GivesTheSameRequestsOfTheOldEraByteByByte) {
  const std::vector<std::string> requests = old_requests();
  for (std::size_t first = 0; first < requests.size(); ++first) {
    std::vector<std::string> order(requests.begin() + static_cast<std::ptrdiff_t>(first),
                                   requests.end());
    std::vector<std::string> pieces;
    for (const char byte : joined(order)) pieces.emplace_back(1, byte);
    RequestStream stream;
    std::vector<std::string> found = requests_of(stream, pieces);
    ASSERT_EQ(found.size(), order.size()) << "beginning with request " << first;
    EXPECT_EQ(stream.era(), Era::kOld);
    for (std::size_t i = 0; i < order.size(); ++i)
      EXPECT_EQ(found[i].substr(1), order[i].substr(1)) << "request " << i;
  }
}

TEST(RequestStream, ReadsTheOldEraInOnePiece) {
  RequestStream stream;
  const auto found = requests_of(stream, {joined(old_requests())});
  ASSERT_EQ(found.size(), 9u);
  EXPECT_EQ(found[7].front(), static_cast<char>(Operation::kWatchKey));
  EXPECT_EQ(found[8].front(), static_cast<char>(Operation::kDeleteKey));
}

TEST(RequestStream, NamesAWrongMagicAsSoonAsItIsThere) {
  EXPECT_EQ(error_of(std::string("\0\xEF\xBE\xAD\xDE", 5)),
            "error: VALIDATE with 0xDEADBEEF, PyTorch sends 0x3C85F7CE");
}

TEST(RequestStream, RefusesOpcodesTheEraDoesNotKnow) {
  EXPECT_EQ(error_of(wire::validate() + "\x13"), "error: opcode 19, known are 0 to 18");
  EXPECT_NE(error_of("\x0C").find("opcode 12, known are 0 to 8 from PyTorch before 2.1"),
            std::string::npos);
  EXPECT_NE(error_of("GET / HTTP/1.0\r\n").find("opcode 71"), std::string::npos);
}

TEST(RequestStream, RefusesALengthBeforeItsBytesCome) {
  const auto sized = [](Operation operation, std::uint64_t size) {
    return wire::validate() + wire::opcode(operation) + wire::number(size);
  };
  EXPECT_EQ(error_of(sized(Operation::kGet, kMaxKey)), wire::validate());
  EXPECT_EQ(error_of(sized(Operation::kGet, kMaxKey + 1)),
            "error: GET with a key of bytes 8193, at most 8192");
  EXPECT_NE(error_of(sized(Operation::kGet, ~0ull)).find("error: GET with a key"),
            std::string::npos);
  EXPECT_EQ(error_of(sized(Operation::kWait, kMaxKeysPerRequest)), wire::validate());
  EXPECT_EQ(error_of(sized(Operation::kWait, kMaxKeysPerRequest + 1)),
            "error: WAIT with a number of keys of 131073, at most 131072");
  EXPECT_NE(error_of(sized(Operation::kMultiSet, ~0ull)).find("error: MULTI_SET"),
            std::string::npos);
  const std::string value = wire::validate() + wire::request(Operation::kSet, {"k"});
  EXPECT_EQ(error_of(value + wire::number(std::uint64_t{kMaxValue})), wire::validate());
  EXPECT_EQ(error_of(value + wire::number(std::uint64_t{kMaxValue + 1})),
            "error: SET with a value of bytes 8388609, at most 8388608");
}

TEST(RequestStream, RefusesARequestThatIsTooLongInAll) {
  const std::string pair = wire::string("k") + wire::string(std::string(kMaxValue, 'v'));
  RequestStream stream;
  const std::string head =
      wire::validate() + wire::opcode(Operation::kMultiSet) + wire::number(std::uint64_t{1000});
  EXPECT_EQ(requests_of(stream, {head}).size(), 1u);
  std::vector<std::string> found;
  int pairs = 0;
  for (; found.empty() && pairs < 40; ++pairs) found = requests_of(stream, {pair});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back().find("error: MULTI_SET with a total of bytes"), 0u) << found.back();
  EXPECT_LE(stream.kept(), kMaxRequest);
}

TEST(RequestStream, KeepsNoMoreThanTheRequestThatIsCut) {
  RequestStream stream;
  const std::string whole = wire::set("key", std::string(1000, 'v'));
  requests_of(stream, {wire::validate(), whole.substr(0, 500)});
  EXPECT_EQ(stream.kept(), 500u);
  EXPECT_EQ(requests_of(stream, {whole.substr(500) + wire::get("x")}).size(), 2u);
  EXPECT_EQ(stream.kept(), 0u);
}

// Each byte of a request that comes byte by byte is looked at once: a scan from the start would
// need some 10^11 steps here and never end within the test's time.
TEST(RequestStream, ReadsAManyKeysRequestByteByByteInLinearTime) {
  std::string bytes = wire::opcode(Operation::kCheck) + wire::number(kMaxKeysPerRequest);
  for (std::uint64_t i = 0; i < kMaxKeysPerRequest; ++i) bytes += wire::string("k");
  RequestStream stream;
  ASSERT_EQ(requests_of(stream, {wire::validate()}).size(), 1u);
  Request request;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    stream.feed(std::string_view(bytes).substr(i, 1));
    const Result<bool> whole = stream.next(request);
    ASSERT_TRUE(whole);
    ASSERT_EQ(*whole, i + 1 == bytes.size());
  }
  EXPECT_EQ(std::get<Check>(request).keys.count, kMaxKeysPerRequest);
}

TEST(RequestStream, SurvivesMutatedBytes) {
  std::mt19937 random(20260301);
  const std::vector<std::string> originals{joined(new_requests()), joined(old_requests())};
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = originals[static_cast<std::size_t>(round % 2)];
    for (unsigned i = 0; i < 1 + random() % 4; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const std::size_t cut = random() % bytes.size();
    RequestStream pieces;
    RequestStream whole;
    ASSERT_EQ(requests_of(pieces, {bytes.substr(0, cut), bytes.substr(cut)}),
              requests_of(whole, {bytes}))
        << "round " << round;
  }
}

}  // namespace
}  // namespace muster::tcpstore
