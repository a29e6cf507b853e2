// A member's engine under any sequence of events: servers that lie, connections that break,
// operations of its own application. The input is a script, as of server_engine_fuzz.cc.
//
// Promises: no abort; frames go to open connections only and are canonical; a connection is closed
// once; every operation is answered exactly once and in time; after the end nothing but closing
// connections; the next deadline lies ahead.
#include <map>
#include <optional>

#include "rendezvous/member_engine.h"
#include "tests/fuzz/engine_frames.h"
#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {
namespace {

constexpr std::string_view kKey = "sixteen bytes or";
const Incarnation kMeeting{4242, 0, 0, ""};

class Script {
 public:
  explicit Script(fuzz::Input input) : input_(input) {
    options_.incarnation = kMeeting;
    options_.self = {NodeIndex{0}, LocalTask{0}, "n0", 1, ""};
    options_.method = static_cast<AuthenticationMethod>(input_.u8() % 3);
    options_.key = kKey;
    options_.session = std::string(kSessionSize, 's');
    options_.deadline = std::chrono::seconds(input_.u8());
    if (input_.u8() % 8 == 7) options_.place = 0;  // it has the server in its own process
    FUZZ_REQUIRE(check_options(options_));
    engine_.emplace(options_, fake_digests(), now_);
    take(engine_->begin());
  }

  void run() {
    while (!input_.empty()) take_step();
    // Whatever happened: every wait has an end. No timeout of a script is longer.
    const TimePoint end = now_ + std::chrono::minutes(5);
    while (now_ < end && engine_->next_deadline() != TimePoint::max())
      pass(std::chrono::seconds(1));
    for (const auto& [request, answers] : answers_) FUZZ_REQUIRE(answers == 1);
  }

 private:
  struct Line {
    Endpoint server;
    std::optional<Join> join;
    std::string key;  // of the proofs
  };

  void take_step() {
    switch (input_.u8() % 12) {
      case 0:
        return connect(input_.u8());
      case 1: {
        const ConnectionId id = pick();
        const std::size_t piece = input_.u8();
        return hear(id, take_frame(input_), piece);
      }
      case 2: {
        const ConnectionId id = pick();
        const std::size_t piece = input_.u8();
        return hear(id, input_.take(input_.u16()), piece);
      }
      case 3:
        return hear_genuine(pick(), input_.u8(), input_.u8());
      case 4: {
        const ConnectionId id = pick();
        open_.erase(id);
        return step(member_event::Disconnected{id, "reset"});
      }
      case 5: {
        const ConnectionId id = pick();
        if (open_.contains(id)) step(member_event::Stalled{id, "10 s without acknowledgement"});
        return;
      }
      case 6:
        return answer_credential(pick(), input_.u8());
      case 7:
        return pass(Duration(input_.u16()));
      case 8:
        return step(member_event::Send{std::string(input_.take(8))});
      case 9:
        return start(input_.u8());
      case 10:
        return leave_or_fail(input_.u8());
      case 11:
        return search_round(input_.u8());
    }
  }

  void search_round(std::uint8_t bits) {
    member_event::SearchedRound round;
    for (std::uint32_t place = 0; place < kMaxSuccessors; ++place)
      if ((bits >> place & 1) != 0 && place != options_.place) round.closed.push_back(place);
    round.shut.push_back({"10.0.0." + std::to_string(bits % 4), 12000});
    step(round);
  }

  ConnectionId pick() { return ConnectionId{input_.u8()}; }

  void connect(std::uint8_t kind) {
    const ConnectionId id{++last_id_};
    const Endpoint server{leads() ? "" : "10.0.0." + std::to_string(kind % 4), 12000};
    open_[id].server = server;
    open_[id].key = options_.method == AuthenticationMethod::kMunge ? std::string(kDigestSize, 'k')
                                                                    : std::string(kKey);
    step(member_event::Connected{id, server, "10.0.0.9", std::string(kNonceSize, 'c'),
                                 std::string(kDigestSize, 'k'), leads()});
  }

  void hear(ConnectionId id, std::string_view bytes, std::size_t piece) {
    in_pieces(bytes, piece, [&](std::string_view each) { step(member_event::Received{id, each}); });
  }

  // What an honest coordinator says, at a moment and with numbers of the script's choice.
  void hear_genuine(ConnectionId id, std::uint8_t kind, std::uint8_t number) {
    const auto line = open_.find(id);
    if (line == open_.end()) return;
    const Generation generation{number % 4u};
    const Message message = genuine_message(line->second, kind, number);
    hear(id, encode(message, generation), 0);
  }

  Message genuine_message(const Line& line, std::uint8_t kind, std::uint8_t number) const {
    const RequestId request{number};
    const std::string name(1, static_cast<char>('a' + number % 4));
    switch (kind % 12) {
      case 0:
        return greeting();
      case 1: {
        Welcome welcome{MemberIndex{0}, 1, ""};
        if (is_proven())
          welcome.proof = prove_welcome(fake_digests(), line.key, transcript(line), welcome);
        return welcome;
      }
      case 2: {
        Refused refused{ErrorCode::kInvalidArgument, "not you", ""};
        if (is_proven())
          refused.proof = prove_refusal(fake_digests(), line.key, transcript(line), refused);
        return refused;
      }
      case 3:
        if (number >= 128) return members();
        return Prepare{NodeIndex{0}, 0, SeatSet::all(),
                       "10.0.0.1",   1, fake_digests().sha256(encode_body(members()))};
      case 4:
        return Commit{};
      case 5:
        return Left{};
      case 6:
        return DoneReply{request};
      case 7:
        return ValueReply{request, "value"};
      case 8:
        return NumberReply{request, -1};
      case 9:
        return CollectiveDone{name, {number % 2 == 0 ? "x" : ""}};
      case 10:
        return CollectiveFailed{name, ErrorCode::kUnavailable, "lost"};
      default:
        return Missing{name, 1, {"n0 (member 0)"}};
    }
  }

  bool leads() const { return options_.place.has_value(); }
  bool is_proven() const { return greeting().method != AuthenticationMethod::kNone; }
  Greeting greeting() const {
    const auto method = leads() ? AuthenticationMethod::kNone : options_.method;
    return {kMeeting, NodeIndex{0}, 0, method, std::string(kNonceSize, 'n')};
  }
  static Members members() {
    return {{{MemberIndex{0}, {NodeIndex{0}, LocalTask{0}, "n0", 1, ""}, "10.0.0.9"}}};
  }
  std::string transcript(const Line& line) const {
    const Join join{options_.self,
                    options_.session,
                    std::string(kNonceSize, 'c'),
                    {},
                    {},
                    options_.wants_members,
                    ""};
    return transcript_of(greeting(), line.join.value_or(join), line.server);
  }

  void answer_credential(ConnectionId id, std::uint8_t kind) {
    member_event::CredentialEncoded event{id, std::string("credential")};
    if (kind % 8 == 1) event.credential = std::string(input_.take(kind));
    if (kind % 8 == 2) event.credential = failure(ErrorCode::kUnavailable, "no munged");
    step(event);
  }

  void start(std::uint8_t kind) {
    const RequestId request{answers_.size()};
    const std::string name(1, static_cast<char>('a' + kind / 8 % 4));
    const Duration timeout{input_.u16()};
    answers_[request] = 0;
    step(member_event::Start{request, operation_of(kind, name), timeout});
  }

  static Operation operation_of(std::uint8_t kind, const std::string& name) {
    switch (kind % 8) {
      case 0:
        return operation::Set{name, "value"};
      case 1:
        return operation::Get{name};
      case 2:
        return operation::Wait{{name, "b"}};
      case 3:
        return operation::Add{name, -1};
      case 4:
        return operation::Barrier{name};
      case 5:
        return operation::AllGather{name, "bytes"};
      case 6:
        return operation::Broadcast{name, MemberIndex{kind / 64u}, "bytes"};
      default:
        return operation::Wait{};
    }
  }

  void leave_or_fail(std::uint8_t kind) {
    if (kind % 4 == 0) return step(member_event::LeaveMeeting{Duration(kind * 10)});
    if (kind == 1) step(member_event::SearchFailed{Error(ErrorCode::kNotFound, "no address")});
  }

  void pass(Duration time) {
    now_ += time;
    step(member_event::Tick{});
    FUZZ_REQUIRE(engine_->next_deadline() > now_);
  }

  void step(const MemberEvent& event) {
    asked_to_leave_ = std::holds_alternative<member_event::LeaveMeeting>(event);
    take(engine_->step(event, now_));
  }

  void take(const MemberEffects& effects) {
    for (const MemberEffect& effect : effects)
      std::visit([this](const auto& each) { check(each); }, effect);
  }

  void check(const SendFrame& effect) {
    FUZZ_REQUIRE(!over_);
    const auto line = open_.find(effect.connection);
    FUZZ_REQUIRE(line != open_.end());
    Generation generation{};
    const Message message = check_sent(effect.bytes, generation);
    if (const auto* join = std::get_if<Join>(&message)) line->second.join = *join;
  }
  void check(const CloseConnection& effect) { FUZZ_REQUIRE(open_.erase(effect.connection) == 1); }
  void check(const Note& effect) { FUZZ_REQUIRE(!over_ && !effect.line.empty()); }
  void check(const member_effect::Search&) {
    FUZZ_REQUIRE(!over_);
    searching_ = true;
  }
  void check(const member_effect::TakeRole& effect) {
    FUZZ_REQUIRE(!over_ && !committed_ && options_.place == effect.epoch);
  }
  void check(const member_effect::RivalMet&) { FUZZ_REQUIRE(!over_ && !committed_ && leads()); }
  void check(const member_effect::StopSearch&) {
    FUZZ_REQUIRE(searching_);
    searching_ = false;
  }
  void check(const member_effect::EncodeCredential& effect) {
    FUZZ_REQUIRE(!over_ && open_.contains(effect.connection));
    FUZZ_REQUIRE(options_.method == AuthenticationMethod::kMunge);
  }
  void check(const member_effect::RosterCommitted&) {
    FUZZ_REQUIRE(!over_ && !committed_);
    committed_ = true;
  }
  void check(const member_effect::MessageArrived&) { FUZZ_REQUIRE(committed_ && !over_); }
  void check(const member_effect::CoordinatorSilent&) { FUZZ_REQUIRE(!over_); }
  void check(const member_effect::Completed& effect) {
    FUZZ_REQUIRE(answers_.contains(effect.request));
    FUZZ_REQUIRE(++answers_[effect.request] == 1);
  }
  void check(const member_effect::LeftMeeting&) {
    FUZZ_REQUIRE(!over_ || asked_to_leave_);
    over_ = true;
  }
  void check(const member_effect::Closed&) {
    FUZZ_REQUIRE(!over_);
    over_ = true;
  }

  fuzz::Input input_;
  MemberEngineOptions options_;
  TimePoint now_{};
  std::optional<MemberEngine> engine_;
  std::uint64_t last_id_ = 0;
  std::map<ConnectionId, Line> open_;
  std::map<RequestId, int> answers_;
  bool searching_ = false;
  bool committed_ = false;
  bool over_ = false;
  bool asked_to_leave_ = false;
};

}  // namespace
}  // namespace muster::rendezvous

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muster::rendezvous::Script({data, size}).run();
  return 0;
}
