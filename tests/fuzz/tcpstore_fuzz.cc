// The workers' door: any bytes, cut anywhere, of several clients of one store. The input is a
// script.
//
// Promises: no abort; the cuts change no reply; limits hold; a client is closed once, with a
// reason; after all are gone nothing waits any more.
#include <map>
#include <set>

#include "rendezvous/tcpstore/store_engine.h"
#include "tests/fuzz/input.h"

namespace muster::tcpstore {
namespace {

constexpr std::size_t kClients = 4;

StoreLimits small_limits() {
  StoreLimits limits;
  limits.keys = 64;
  limits.bytes = 4096;  // replies stay below the backlog whatever the cuts
  limits.queued_items = 64;
  limits.waits = 64;
  limits.watches_per_client = 8;
  return limits;
}

// One store, and what each client has heard.
class Store {
 public:
  void say(std::size_t client, std::string_view bytes, std::size_t piece) {
    const ClientSlot slot = static_cast<ClientSlot>(client);
    if (open_.insert(client).second) engine_.accept(slot);
    if (piece == 0) piece = bytes.size();
    while (!bytes.empty() && open_.contains(client)) {
      // Of its own, so that a read past its end is seen.
      const std::string copy(bytes.substr(0, piece));
      bytes.remove_prefix(copy.size());
      engine_.receive(slot, copy);
      close_the_doomed();
    }
    collect();
  }

  void leave(std::size_t client) {
    if (open_.erase(client) > 0) engine_.disconnect(static_cast<ClientSlot>(client));
    collect();
  }

  void end() {
    for (std::size_t client = 0; client < kClients; ++client) leave(client);
    FUZZ_REQUIRE(engine_.waits() == 0);
  }

  const std::map<std::size_t, std::string>& heard() const { return heard_; }

 private:
  void close_the_doomed() {
    for (const Closing& closing : engine_.take_closings()) {
      FUZZ_REQUIRE(!closing.why.message().empty());
      collect();
      FUZZ_REQUIRE(open_.erase(static_cast<std::size_t>(closing.client)) == 1);
      engine_.disconnect(closing.client);
    }
  }

  void collect() {
    std::vector<ClientSlot> ready;
    engine_.take_ready(ready);
    for (const ClientSlot slot : ready) {
      const std::size_t client = static_cast<std::size_t>(slot);
      if (!open_.contains(client)) continue;
      const std::string_view bytes = engine_.unsent(slot);
      heard_[client] += bytes;
      engine_.note_sent(slot, bytes.size());
    }
  }

  StoreEngine engine_{small_limits()};
  std::set<std::size_t> open_;
  std::map<std::size_t, std::string> heard_;
};

// u8 client and what | u8 piece | u16 size | bytes, again and again. `whole`: the pieces are
// ignored.
void play(fuzz::Input script, bool whole, Store& store) {
  while (!script.empty()) {
    const std::uint8_t what = script.u8();
    const std::size_t client = what % kClients;
    if (what >= 240) {
      store.leave(client);
      continue;
    }
    const std::size_t piece = script.u8();
    store.say(client, script.take(script.u16()), whole ? 0 : piece);
  }
  store.end();
}

}  // namespace
}  // namespace muster::tcpstore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::tcpstore;
  Store whole;
  Store in_pieces;
  play({data, size}, true, whole);
  play({data, size}, false, in_pieces);
  FUZZ_REQUIRE(whole.heard() == in_pieces.heard());
  return 0;
}
