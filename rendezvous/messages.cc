#include "rendezvous/messages.h"

#include <array>
#include <concepts>
#include <utility>

#include "rendezvous/base/check.h"
#include "rendezvous/fields.h"

namespace muster::rendezvous {

namespace {

struct Kind {
  std::uint8_t number;
  std::string_view name;
};

// In the order of Message's alternatives.
constexpr std::array<Kind, std::variant_size_v<Message>> kKinds = {{
    {1, "greeting"},
    {2, "join"},
    {3, "welcome"},
    {4, "refused"},
    {16, "prepare"},
    {23, "members"},
    {17, "ack"},
    {18, "commit"},
    {19, "ping"},
    {20, "leave"},
    {21, "left"},
    {22, "closing"},
    {32, "message"},
    {48, "set"},
    {49, "get"},
    {50, "wait"},
    {51, "add"},
    {52, "cancel"},
    {53, "done"},
    {54, "value"},
    {55, "number"},
    {56, "failed"},
    {64, "arrive"},
    {65, "give-up"},
    {66, "ask-missing"},
    {67, "missing"},
    {68, "collective-done"},
    {69, "collective-failed"},
}};

// M is T, const when it is written and not when it is read.
template <class M, class T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

template <class C, Is<Incarnation> M>
void fields(C& c, M& m) {
  c.number(m.job);
  c.number(m.step);
  c.number(m.restart_count);
  c.string(m.scope, kMaxScope);
}

template <class C, Is<MemberDescription> M>
void fields(C& c, M& m) {
  c.id(m.node);
  c.id(m.task);
  c.string(m.host, kMaxHost);
  c.number(m.pid);
  c.string(m.facts, kMaxFacts);
}

template <class C, Is<Greeting> M>
void fields(C& c, M& m) {
  c.constant(kGreetingMagic);
  fields(c, m.incarnation);
  c.id(m.node);
  c.number(m.epoch);
  c.choice(m.method, AuthenticationMethod::kMunge, AuthenticationMethod::kNone);
  c.raw(m.nonce, kNonceSize);
}

template <class C, Is<Join> M>
void proven_fields(C& c, M& m) {
  fields(c, m.self);
  c.raw(m.session, kSessionSize);
  c.raw(m.nonce, kNonceSize);
  c.list(m.acknowledged, kMaxAcknowledged, [](C& codec, auto& each) {
    codec.id(each.generation);
    codec.seats(each.members, kMaxSeatBytes);
  });
  c.list(m.lost, kMaxLost, [](C& codec, auto& node) { codec.id(node); });
  c.flag(m.wants_members);
}

template <class C, Is<Join> M>
void fields(C& c, M& m) {
  proven_fields(c, m);
  c.string(m.proof, kMaxProof);
}

template <class C, Is<Welcome> M>
void fields(C& c, M& m) {
  c.id(m.index);
  c.number(m.expected);
  c.string(m.proof, kMaxProof);
}

template <class C, Is<Refused> M>
void fields(C& c, M& m) {
  c.code(m.code);
  c.string(m.reason, kMaxText);
  c.string(m.proof, kMaxProof);
}

template <class C, Is<Prepare> M>
void fields(C& c, M& m) {
  c.id(m.coordinator_node);
  c.number(m.epoch);
  c.seats(m.seats, kMaxSeatBytes);
  c.string(m.coordinator_address, kMaxAddress);
  c.number(m.members);
  c.raw(m.digest, kRosterDigestSize);
}

template <class C, Is<Members> M>
void fields(C& c, M& m) {
  c.list(m.members, kMaxMembers, [](C& codec, auto& member) {
    fields(codec, member.description);
    codec.string(member.address, kMaxAddress);
  });
}

template <class C, Is<Closing> M>
void fields(C& c, M& m) {
  c.code(m.code);
  c.string(m.reason, kMaxText);
}

template <class C, Is<ApplicationMessage> M>
void fields(C& c, M& m) {
  c.string(m.bytes, kMaxMessage);
}

template <class C, Is<SetRequest> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.string(m.key, kMaxKey);
  c.string(m.value, kMaxValue);
}

template <class C, Is<GetRequest> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.string(m.key, kMaxKey);
}

template <class C, Is<WaitRequest> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.list(m.keys, kMaxKeysPerWait, [](C& codec, auto& key) { codec.string(key, kMaxKey); });
}

template <class C, Is<AddRequest> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.string(m.key, kMaxKey);
  c.number(m.delta);
}

template <class C, class M>
requires Is<M, CancelRequest> || Is<M, DoneReply>
void fields(C& c, M& m) {
  c.id(m.request);
}

template <class C, Is<ValueReply> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.string(m.value, kMaxValue);
}

template <class C, Is<NumberReply> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.number(m.number);
}

template <class C, Is<FailedReply> M>
void fields(C& c, M& m) {
  c.id(m.request);
  c.code(m.code);
  c.string(m.reason, kMaxText);
}

template <class C, Is<Arrive> M>
void fields(C& c, M& m) {
  c.choice(m.kind, CollectiveKind::kBarrier, CollectiveKind::kBroadcast);
  c.string(m.name, kMaxKey);
  c.id(m.root);
  c.string(m.bytes, kMaxValue);
}

template <class C, class M>
requires Is<M, GiveUp> || Is<M, AskMissing>
void fields(C& c, M& m) {
  c.string(m.name, kMaxKey);
}

template <class C, Is<Missing> M>
void fields(C& c, M& m) {
  c.string(m.name, kMaxKey);
  c.number(m.count);
  c.list(m.first, kMaxMissingNamed, [](C& codec, auto& who) { codec.string(who, kMaxText); });
}

template <class C, Is<CollectiveDone> M>
void fields(C& c, M& m) {
  c.string(m.name, kMaxKey);
  c.list(m.values, kMaxMembers, [](C& codec, auto& value) { codec.string(value, kMaxValue); });
}

template <class C, Is<CollectiveFailed> M>
void fields(C& c, M& m) {
  c.string(m.name, kMaxKey);
  c.code(m.code);
  c.string(m.reason, kMaxText);
}

template <class C, class M>
requires std::is_empty_v<M>
void fields(C&, M&) {}

Status check_lists(const WaitRequest& wait) {
  if (wait.keys.empty()) return failure(ErrorCode::kProtocol, "wait: no key");
  return {};
}

template <class M>
Status check_lists(const M&) {
  return {};
}

template <std::size_t index>
Result<Message> parse_as(const Frame& frame) {
  std::variant_alternative_t<index, Message> message;
  FieldReader reader(frame.body);
  fields(reader, message);
  MUSTER_RETURN_IF_ERROR(reader.finish(kKinds[index].name));
  MUSTER_RETURN_IF_ERROR(check_lists(message));
  return Message(std::move(message));
}

template <std::size_t... index>
constexpr auto parsers(std::index_sequence<index...>) {
  return std::array<Result<Message> (*)(const Frame&), sizeof...(index)>{&parse_as<index>...};
}

constexpr auto kParsers = parsers(std::make_index_sequence<std::variant_size_v<Message>>());

// The members' places are not sent.
void number_members(std::vector<Member>& members) {
  for (std::size_t i = 0; i < members.size(); ++i)
    members[i].index = MemberIndex{static_cast<std::uint32_t>(i)};
}

}  // namespace

std::string encode(const Message& message, Generation generation) {
  FieldWriter writer;
  std::visit([&writer](const auto& m) { fields(writer, m); }, message);
  return encode_frame(kKinds[message.index()].number, generation, writer.take());
}

FrameBytes encode_shared(const Message& message, Generation generation) {
  return std::make_shared<const std::string>(encode(message, generation));
}

FrameBytes encode_shared_members(std::string_view body, Generation generation) {
  const std::size_t place = Message(Members{}).index();
  return std::make_shared<const std::string>(encode_frame(kKinds[place].number, generation, body));
}

Result<Message> parse(const Frame& frame) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i].number != frame.kind) continue;
    MUSTER_TRY(message, kParsers[i](frame));
    if (auto* list = std::get_if<Members>(&message)) number_members(list->members);
    return message;
  }
  return failure(ErrorCode::kProtocol, "no message has kind " + std::to_string(frame.kind));
}

std::string encode_body_for_proof(const Greeting& greeting) {
  FieldWriter writer;
  fields(writer, greeting);
  return writer.take();
}

std::string encode_body_for_proof(const Join& join) {
  FieldWriter writer;
  proven_fields(writer, join);
  return writer.take();
}

std::string encode_body(const Members& members) {
  FieldWriter writer;
  fields(writer, members);
  return writer.take();
}

std::string_view name_of(const Message& message) {
  return kKinds[message.index()].name;
}

std::string_view to_string(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kBarrier:
      return "barrier";
    case CollectiveKind::kAllGather:
      return "all_gather";
    case CollectiveKind::kBroadcast:
      return "broadcast";
  }
  return "collective";
}

}  // namespace muster::rendezvous
