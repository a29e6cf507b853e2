// The coordinator's engine under any sequence of events, of many connections. The input is a script
// (take_step), so that the fuzzer need not guess lengths, nonces and proofs.
//
// Promises: no abort; frames go to open connections only and are canonical; a connection is closed
// once; the roster is committed once; a member is lost or leaves once; the next deadline lies
// ahead; after close() everything is closed.
#include <map>
#include <set>

#include "rendezvous/server_engine.h"
#include "tests/fuzz/engine_frames.h"
#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {
namespace {

constexpr std::string_view kKey = "sixteen bytes or";
const Endpoint kServer{"10.0.0.1", 12000};
constexpr std::uint32_t kUid = 1000;

class Script {
 public:
  explicit Script(fuzz::Input input) : input_(input) {
    options_.incarnation = {4242, 0, 0, ""};
    options_.method = static_cast<AuthenticationMethod>(input_.u8() % 3);
    options_.key = kKey;
    options_.uid = kUid;
    options_.assembly_deadline = std::chrono::seconds(input_.u8());
    const std::uint8_t shape = input_.u8();
    const std::uint32_t members = 1 + shape % 5u;
    options_.minimum_nodes = shape / 5 % 3;
    for (std::uint32_t i = 0; i < members; ++i)
      options_.expected.push_back(
          {NodeIndex{i / 2}, LocalTask{i % 2}, "n" + std::to_string(i / 2)});
    FUZZ_REQUIRE(check_options(options_));
    engine_.emplace(options_, fake_digests(), now_);
  }

  void run() {
    while (!input_.empty()) take_step();
    step(server_event::Close{"the end"});
    FUZZ_REQUIRE(open_.empty());
    FUZZ_REQUIRE(engine_->next_deadline() == TimePoint::max());
  }

 private:
  struct Line {
    bool same_process = false;
    std::optional<Greeting> greeting;
    std::string payload;  // what munge finds in the credential of the last genuine join
  };

  void take_step() {
    switch (input_.u8() % 11) {
      case 0:
        return connect(input_.u8());
      case 1:
        return join(pick(), input_.u8());
      case 2: {
        const ConnectionId id = pick();
        const std::size_t piece = input_.u8();
        return hear(id, take_frame(input_), piece);
      }
      case 3: {
        const ConnectionId id = pick();
        const std::size_t piece = input_.u8();
        return hear(id, input_.take(input_.u16()), piece);
      }
      case 4: {
        const ConnectionId id = pick();
        open_.erase(id);
        return step(server_event::Disconnected{id, "reset"});
      }
      case 5:
        return step(server_event::Stalled{pick(), "10 s without acknowledgement"});
      case 6:
        return answer_credential(pick(), input_.u8());
      case 7:
        return pass(Duration(input_.u16()));
      case 8:
        return step(server_event::SendTo{MemberIndex{input_.u8()}, std::string(input_.take(8))});
      case 9:
        return step(server_event::SendToAll{std::string(input_.take(8))});
      case 10:
        return step_rarely(input_.u8());
    }
  }

  void step_rarely(std::uint8_t kind) {
    if (kind == 255) step(server_event::Close{"enough"});
    if (kind == 254) step(server_event::RivalMet{input_.u8() % 3u});
    if (kind == 253) step(server_event::OutOfDescriptors{});
  }

  ConnectionId pick() { return ConnectionId{input_.u8()}; }

  void connect(std::uint8_t kind) {
    const ConnectionId id{++last_id_};
    open_[id].same_process = kind % 8 == 7;
    server_event::Accepted event;
    event.connection = id;
    event.nonce = std::string(kNonceSize, static_cast<char>(last_id_));
    event.same_process = open_[id].same_process;
    if (!event.same_process) {
      event.local = kServer;
      event.remote_address = "10.0.1." + std::to_string(kind % 4);
    }
    step(event);
  }

  // One that is proven, of the session and place that `choice` says.
  void join(ConnectionId id, std::uint8_t choice) {
    const auto entry = open_.find(id);
    if (entry == open_.end() || !entry->second.greeting) return;
    Line& line = entry->second;
    const std::uint32_t place = choice % 8u;
    Join join;
    join.self = {NodeIndex{place / 2}, LocalTask{place % 2}, "n", choice, "facts"};
    join.session = std::string(kSessionSize, static_cast<char>(choice / 8));
    join.nonce = std::string(kNonceSize, 'c');
    join.wants_members = choice % 2 == 0;
    const std::string transcript =
        transcript_of(*line.greeting, join, line.same_process ? Endpoint{} : kServer);
    const Digests digests = fake_digests();
    if (line.greeting->method == AuthenticationMethod::kKey)
      join.proof = prove_join(digests, kKey, transcript);
    if (line.greeting->method == AuthenticationMethod::kMunge) {
      join.proof = "credential";
      line.payload = encode(
          CredentialPayload{std::string(kDigestSize, 'k'), kServer, digests.sha256(transcript)});
    }
    hear(id, encode(join, Generation{}), 0);
  }

  void hear(ConnectionId id, std::string_view bytes, std::size_t piece) {
    const std::string copy(bytes);
    in_pieces(copy, piece, [&](std::string_view each) { step(server_event::Received{id, each}); });
  }

  void answer_credential(ConnectionId id, std::uint8_t kind) {
    server_event::CredentialDecoded event{id, DecodedCredential{kUid, ""}};
    const auto entry = open_.find(id);
    if (entry != open_.end()) event.credential->payload = entry->second.payload;
    if (kind % 8 == 1) event.credential->uid = kUid + 1;
    if (kind % 8 == 2) event.credential->payload = std::string(input_.take(kind));
    if (kind % 8 == 3) event.credential = failure(ErrorCode::kPermissionDenied, "expired");
    step(event);
  }

  void pass(Duration time) {
    now_ += time;
    step(server_event::Tick{});
    FUZZ_REQUIRE(engine_->next_deadline() > now_);
  }

  void step(const ServerEvent& event) {
    for (const ServerEffect& effect : engine_->step(event, now_))
      std::visit([this](const auto& each) { check(each); }, effect);
  }

  void check(const SendFrame& effect) {
    const auto line = open_.find(effect.connection);
    FUZZ_REQUIRE(line != open_.end());
    Generation generation{};
    const Message message = check_sent(effect.bytes, generation);
    if (const auto* greeting = std::get_if<Greeting>(&message)) line->second.greeting = *greeting;
  }
  void check(const CloseConnection& effect) {
    const std::size_t erased = open_.erase(effect.connection);
    FUZZ_REQUIRE(erased == 1);
  }
  void check(const DecodeCredential& effect) {
    FUZZ_REQUIRE(open_.count(effect.connection) == 1);
    FUZZ_REQUIRE(options_.method == AuthenticationMethod::kMunge);
  }
  void check(const Note& effect) { FUZZ_REQUIRE(!effect.line.empty()); }
  void check(const server_effect::Assembled& effect) {
    FUZZ_REQUIRE(!assembled_ && !failed_ && !yielded_);
    const std::size_t members = effect.roster.members.size();
    FUZZ_REQUIRE(members == options_.expected.size() ||
                 (options_.minimum_nodes > 0 && 2 * members > options_.expected.size()));
    assembled_ = true;
  }
  void check(const server_effect::AssemblyProgress&) { FUZZ_REQUIRE(!assembled_ && !failed_); }
  void check(const server_effect::AssemblyFailed&) {
    FUZZ_REQUIRE(!assembled_ && !failed_);
    failed_ = true;
  }
  void check(const server_effect::Yielded&) {
    FUZZ_REQUIRE(!assembled_ && !failed_ && !yielded_);
    FUZZ_REQUIRE(open_.empty());
    yielded_ = true;
  }
  void check(const server_effect::MessageArrived& effect) { check_member(effect.from); }
  void check(const server_effect::MemberSuspect& effect) { check_member(effect.member); }
  void check(const server_effect::MemberLost& effect) { check_departure(effect.member); }
  void check(const server_effect::MemberLeft& effect) { check_departure(effect.member); }

  void check_member(MemberIndex member) const {
    FUZZ_REQUIRE(assembled_ && value_of(member) < options_.expected.size());
    FUZZ_REQUIRE(departed_.count(member) == 0);
  }
  void check_departure(MemberIndex member) {
    check_member(member);
    departed_.insert(member);
  }

  fuzz::Input input_;
  ServerEngineOptions options_;
  TimePoint now_{};
  std::optional<ServerEngine> engine_;
  std::uint64_t last_id_ = 0;
  std::map<ConnectionId, Line> open_;
  std::set<MemberIndex> departed_;
  bool assembled_ = false;
  bool yielded_ = false;
  bool failed_ = false;
};

}  // namespace
}  // namespace muster::rendezvous

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muster::rendezvous::Script({data, size}).run();
  return 0;
}
