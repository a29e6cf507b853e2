// Shells and wires of a simulation.
#include <algorithm>

#include "tests/rendezvous/core/fake_digests.h"
#include "tests/rendezvous/core/simulation.h"

namespace muster::rendezvous {

void Simulation::at(TimePoint when, std::function<void()> happen) {
  events_.push({std::max(when, now_), next_order_++, std::move(happen)});
}

Duration Simulation::delay() {
  const bool slow = weather_ == Weather::kRough && random_() % 16 == 0;
  return Duration(slow ? random_() % 1500 : random_() % 10);
}

std::string Simulation::bytes(std::size_t size) {
  std::string result(size, '\0');
  for (char& byte : result) byte = static_cast<char>(random_());
  return result;
}

// A process that stands still takes its events later, in their order.
void Simulation::step_server(const ServerEvent& event) {
  carry_out(server_->step(event, now_));
  arm_server();
}

void Simulation::step_person(std::size_t index, const MemberEvent& event) {
  if (index >= people_.size() || !people_[index].engine) return;
  carry_out(index, people_[index].engine->step(event, now_));
  if (people_[index].engine) arm_person(index);
}

void Simulation::arm_server() {
  const TimePoint next = server_->next_deadline();
  if (next == server_armed_) return;
  server_armed_ = next;
  if (next == TimePoint::max()) return;
  at(std::max(next, server_awake_), [this, next] {
    if (server_armed_ != next) return;
    server_armed_ = TimePoint::max();
    step_server(server_event::Tick{});
  });
}

void Simulation::arm_person(std::size_t index) {
  Person& person = people_[index];
  const TimePoint next = person.engine->next_deadline();
  if (next == person.armed) return;
  person.armed = next;
  if (next == TimePoint::max()) return;
  at(std::max(next, person.awake), [this, index, next] {
    if (people_[index].armed != next) return;
    people_[index].armed = TimePoint::max();
    step_person(index, member_event::Tick{});
  });
}

void Simulation::carry_out(ServerEffects effects) {
  for (ServerEffect& effect : effects) {
    if (auto* send = std::get_if<SendFrame>(&effect)) {
      check_sent(wires_.at(send->connection), *send->bytes);
      send_to_member(send->connection, *send->bytes);
    } else if (auto* close = std::get_if<CloseConnection>(&effect)) {
      close_from_server(close->connection);
    } else if (auto* decode = std::get_if<DecodeCredential>(&effect)) {
      // "uid:payload", as the person's munge wrote it.
      const std::string& text = decode->credential;
      const std::size_t colon = text.find(':');
      Result<DecodedCredential> decoded = failure(ErrorCode::kPermissionDenied, "not a credential");
      if (colon == 4) decoded = DecodedCredential{text[0] == '1' ? 1000u : 2000u, text.substr(5)};
      at(std::max(now_ + delay(), server_awake_), [this, id = decode->connection, decoded] {
        step_server(server_event::CredentialDecoded{id, decoded});
      });
    } else if (auto* note = std::get_if<Note>(&effect)) {
      tell("server: " + note->line);
    } else if (auto* assembled = std::get_if<server_effect::Assembled>(&effect)) {
      check_assembled(assembled->roster);
    } else if (auto* failed = std::get_if<server_effect::AssemblyFailed>(&effect)) {
      tell("server: failed: " + failed->error.message());
      if (assembled_ || failed_) violate("the assembly ends twice");
      failed_ = failed->error;
    }
  }
}

void Simulation::carry_out(std::size_t index, MemberEffects effects) {
  for (MemberEffect& effect : effects) {
    Person& person = people_[index];
    const bool is_close = std::holds_alternative<CloseConnection>(effect);
    const bool is_answer = std::holds_alternative<member_effect::Completed>(effect);
    if (person.over && !is_close && !is_answer) violate(person.name + " acts after its end");
    if (auto* send = std::get_if<SendFrame>(&effect)) {
      FrameReader reader(kMaxReplyBody);
      reader.push(*send->bytes);
      const Frame frame = **reader.next();
      if (std::holds_alternative<Ack>(*parse(frame))) person.acknowledged.insert(frame.generation);
      overheard_.push_back(*send->bytes);
      send_to_server(send->connection, *send->bytes);
    } else if (auto* close = std::get_if<CloseConnection>(&effect)) {
      close_from_member(close->connection);
    } else if (auto* note = std::get_if<Note>(&effect)) {
      tell(person.name + ": " + note->line);
    } else if (std::holds_alternative<member_effect::Search>(effect)) {
      person.searching = true;
      at(now_, [this, index] { search(index); });
    } else if (std::holds_alternative<member_effect::StopSearch>(effect)) {
      person.searching = false;
    } else if (auto* credential = std::get_if<member_effect::EncodeCredential>(&effect)) {
      const std::string text = credential_of(index, credential->payload);
      at(std::max(now_ + delay(), person.awake), [this, index, id = credential->connection, text] {
        step_person(index, member_event::CredentialEncoded{id, text});
      });
    } else if (auto* roster = std::get_if<member_effect::RosterCommitted>(&effect)) {
      check_committed(index, roster->roster);
      at(now_, [this, index] { begin_round(index); });
    } else if (auto* completed = std::get_if<member_effect::Completed>(&effect)) {
      check_completed(index, *completed);
    } else if (std::holds_alternative<member_effect::LeftMeeting>(effect)) {
      tell(person.name + " has left");
      person.over = true;
    } else if (auto* closed = std::get_if<member_effect::Closed>(&effect)) {
      tell(person.name + " is closed: " + closed->error.message());
      person.over = true;
      person.closed = closed->error;
    }
  }
}

std::string Simulation::credential_of(std::size_t index, const std::string& payload) const {
  return (people_[index].genuine ? "1000:" : "2000:") + payload;
}

void Simulation::search(std::size_t index) {
  if (!people_[index].searching || !people_[index].engine) return;
  connect(index, true);
  if (has_impostor_) connect(index, false);
  at(std::max(now_ + Duration(200 + random_() % 100), people_[index].awake),
     [this, index] { search(index); });
}

void Simulation::connect(std::size_t index, bool to_server) {
  const ConnectionId id{next_connection_++};
  Wire& wire = wires_[id];
  wire.person = index;
  wire.at_server = to_server;
  wire.member_open = wire.server_open = true;
  wire.to_member = wire.to_server = now_ + delay();
  const Endpoint server{to_server ? "10.0.0.1" : "10.0.0.66", 12000};
  at(wire.to_member, [this, index, id, server] {
    step_person(index, member_event::Connected{id, server, "10.0.0.2", bytes(kNonceSize),
                                               bytes(kDigestSize)});
  });
  at(std::max(wire.to_server, server_awake_), [this, id, server, to_server] {
    if (!to_server) return impersonate(id);
    if (wires_.at(id).server_open)
      step_server(server_event::Accepted{id, bytes(kNonceSize), server, "10.0.0.2"});
  });
}

// A server of another user that says what ours would say, as far as it can.
void Simulation::impersonate(ConnectionId id) {
  Greeting greeting{server_options_.incarnation, server_options_.node, 0, server_options_.method,
                    bytes(kNonceSize)};
  if (random_() % 3 == 0) greeting.incarnation.job = 17;
  if (random_() % 5 == 0) greeting.node = NodeIndex{3};
  if (server_options_.method == AuthenticationMethod::kNone) greeting.incarnation.step = 9;
  send_to_member(id, encode(greeting, Generation{}));
  switch (random_() % 4) {
    case 0: {  // a whole meeting, for those who believe the welcome
      const Members members{{Member{}}};
      const std::string digest = fake_digests().sha256(encode_body(members));
      const Prepare prepare{NodeIndex{}, 0, SeatSet::all(), "127.0.0.1", 1, digest};
      send_to_member(id, encode(Welcome{MemberIndex{}, 1, bytes(kDigestSize)}, {}));
      send_to_member(id, encode(prepare, Generation{1}));
      send_to_member(id, encode(members, Generation{1}));
      return send_to_member(id, encode(Commit{}, Generation{1}));
    }
    case 1:
      return send_to_member(id, encode(Refused{ErrorCode::kLimit, "go", bytes(kDigestSize)}, {}));
    case 2:
      return send_to_member(id, bytes(40));
    default:
      return;
  }
}

void Simulation::send_to_server(ConnectionId id, const std::string& frame) {
  Wire& wire = wires_.at(id);
  if (!wire.at_server) return;
  std::size_t offset = 0;
  while (offset < frame.size()) {
    const std::size_t size = std::min<std::size_t>(1 + random_() % 400, frame.size() - offset);
    wire.to_server = std::max(wire.to_server, now_ + delay());
    at(std::max(wire.to_server, server_awake_), [this, id, piece = frame.substr(offset, size)] {
      const Wire& there = wires_.at(id);
      if (!there.stalled && there.server_open) step_server(server_event::Received{id, piece});
    });
    offset += size;
  }
}

void Simulation::send_to_member(ConnectionId id, const std::string& frame) {
  Wire& wire = wires_.at(id);
  const std::size_t person = wire.person;
  if (person >= people_.size()) return;
  wire.to_member = std::max(wire.to_member, now_ + delay());
  at(std::max(wire.to_member, people_[person].awake), [this, id, person, frame] {
    const Wire& there = wires_.at(id);
    if (!there.stalled && there.member_open) step_person(person, member_event::Received{id, frame});
  });
}

// What was sent before arrives before the end.
void Simulation::close_from_server(ConnectionId id) {
  Wire& wire = wires_.at(id);
  wire.server_open = false;
  if (wire.person >= people_.size()) return;
  wire.to_member = std::max(wire.to_member, now_ + delay());
  at(wire.to_member, [this, id, person = wire.person] {
    Wire& there = wires_.at(id);
    if (!there.stalled && std::exchange(there.member_open, false))
      step_person(person, member_event::Disconnected{id, "closed by the server"});
  });
}

void Simulation::close_from_member(ConnectionId id) {
  Wire& wire = wires_.at(id);
  wire.member_open = false;
  wire.to_server = std::max(wire.to_server, now_ + delay());
  at(wire.to_server, [this, id] {
    Wire& there = wires_.at(id);
    if (!there.stalled && std::exchange(there.server_open, false) && there.at_server)
      step_server(server_event::Disconnected{id, "closed by the member"});
  });
}

}  // namespace muster::rendezvous
