// Shells and wires of a succession world.
#include <algorithm>

#include "tests/rendezvous/core/succession_world.h"

namespace muster::rendezvous {

namespace {

Endpoint endpoint_of_server(std::size_t process) {
  return {"10.0.0." + std::to_string(process + 1), 12000};
}

}  // namespace

void SuccessionWorld::at(TimePoint when, std::function<void()> happen) {
  events_.push({std::max(when, now_), next_order_++, std::move(happen)});
}

Duration SuccessionWorld::delay() {
  const bool slow = options_.faults > 0 && random_() % 16 == 0;
  return Duration(slow ? random_() % 1500 : random_() % 5);
}

std::string SuccessionWorld::bytes(std::size_t size) {
  std::string result(size, '\0');
  for (char& byte : result) byte = static_cast<char>(random_());
  return result;
}

void SuccessionWorld::step_member(std::size_t index, const MemberEvent& event) {
  if (!processes_[index].member) return;
  carry_out(index, processes_[index].member->step(event, now_));
  arm(index);
}

void SuccessionWorld::step_server(std::size_t index, const ServerEvent& event) {
  if (!processes_[index].server) return;
  carry_out_server(index, processes_[index].server->step(event, now_));
  arm(index);
}

void SuccessionWorld::arm(std::size_t index) {
  Process& process = processes_[index];
  const TimePoint member = process.member ? process.member->next_deadline() : TimePoint::max();
  if (member != process.member_armed) {
    process.member_armed = member;
    if (member != TimePoint::max()) {
      at(std::max(member, process.awake), [this, index, member] {
        if (processes_[index].member_armed != member) return;
        processes_[index].member_armed = TimePoint::max();
        step_member(index, member_event::Tick{});
      });
    }
  }
  const TimePoint server = process.server ? process.server->next_deadline() : TimePoint::max();
  if (server == process.server_armed) return;
  process.server_armed = server;
  if (server == TimePoint::max()) return;
  at(std::max(server, process.awake), [this, index, server] {
    if (processes_[index].server_armed != server) return;
    processes_[index].server_armed = TimePoint::max();
    step_server(index, server_event::Tick{});
  });
}

void SuccessionWorld::carry_out(std::size_t index, MemberEffects effects) {
  for (MemberEffect& effect : effects) {
    Process& process = processes_[index];
    if (process.crashed) return;
    if (auto* send = std::get_if<SendFrame>(&effect)) {
      FrameReader reader(kMaxReplyBody);
      reader.push(*send->bytes);
      const Frame frame = **reader.next();
      if (std::holds_alternative<Ack>(*parse(frame))) process.acknowledged.insert(frame.generation);
      to_server(send->connection, *send->bytes);
    } else if (auto* close = std::get_if<CloseConnection>(&effect)) {
      close_from_member(close->connection);
    } else if (auto* note = std::get_if<Note>(&effect)) {
      tell(process.name + ": " + note->line);
    } else if (auto* wish = std::get_if<member_effect::Search>(&effect)) {
      process.sees_all = wish->all_successors;
      if (std::exchange(process.searching, true)) continue;
      at(now_, [this, index] { search(index); });
    } else if (std::holds_alternative<member_effect::StopSearch>(effect)) {
      process.searching = false;
    } else if (auto* role = std::get_if<member_effect::TakeRole>(&effect)) {
      // From the loop, as a shell does: the engine is not entered while it steps.
      at(now_, [this, index, role = *role] {
        if (!processes_[index].crashed && !processes_[index].over) take_role(index, role);
      });
    } else if (auto* rival = std::get_if<member_effect::RivalMet>(&effect)) {
      tell(process.name + " meets a rival of epoch " + std::to_string(rival->epoch));
      at(now_, [this, index, epoch = rival->epoch] {
        step_server(index, server_event::RivalMet{epoch});
      });
    } else if (auto* roster = std::get_if<member_effect::RosterCommitted>(&effect)) {
      note_committed(index, roster->roster);
    } else if (std::holds_alternative<member_effect::LeftMeeting>(effect)) {
      tell(process.name + " has left");
      process.over = true;
      last_end_ = now_;
    } else if (auto* closed = std::get_if<member_effect::Closed>(&effect)) {
      tell(process.name + " is closed: " + closed->error.message());
      process.over = true;
      process.closed = closed->error;
      if (!ever_cut_.contains(process.options.self.node)) last_end_ = now_;
      // A failed assembly is told to those who come a little later too.
      if (process.server && !assembled_)
        at(now_ + Duration(3000), [this, index] { give_role_back(index); });
    }
  }
}

void SuccessionWorld::carry_out_server(std::size_t index, ServerEffects effects) {
  for (ServerEffect& effect : effects) {
    Process& process = processes_[index];
    if (process.crashed) return;
    if (auto* send = std::get_if<SendFrame>(&effect)) {
      const bool is_fatal = fatal_frame_ > 0 && ++frames_sent_ == fatal_frame_;
      if (fatal_frame_ == 0) ++frames_sent_;
      if (is_fatal && fatal_before_) return crash(index);
      to_member(send->connection, *send->bytes);
      if (is_fatal) return crash(index);
    } else if (auto* close = std::get_if<CloseConnection>(&effect)) {
      close_from_server(close->connection);
    } else if (auto* note = std::get_if<Note>(&effect)) {
      tell(process.name + " (server): " + note->line);
    } else if (auto* assembled = std::get_if<server_effect::Assembled>(&effect)) {
      note_assembled(index, assembled->roster);
    } else if (auto* failed = std::get_if<server_effect::AssemblyFailed>(&effect)) {
      tell(process.name + " (server): failed: " + failed->error.message());
    } else if (std::holds_alternative<server_effect::Yielded>(effect)) {
      tell(process.name + " yields");
      at(now_, [this, index] { give_role_back(index); });
    }
  }
}

void SuccessionWorld::search(std::size_t index) {
  Process& process = processes_[index];
  if (!process.searching || !process.member) return;
  member_event::SearchedRound round;
  for (std::size_t other = 0; other < processes_.size(); ++other) {
    const MemberEngineOptions& there = processes_[other].options;
    if (other == index || !there.place || (!process.sees_all && *there.place != 0)) continue;
    connect(index, other);
    if (processes_[other].server || !is_reachable(index, other)) continue;
    round.closed.push_back(*there.place);
    round.shut.push_back(endpoint_of_server(other));
  }
  step_member(index, round);
  at(std::max(now_ + Duration(150 + random_() % 200), process.awake),
     [this, index] { search(index); });
}

// Refused where nobody listens, silent where the node cannot be reached.
void SuccessionWorld::connect(std::size_t from, std::size_t to) {
  if (!processes_[to].server || !is_reachable(from, to)) return;
  if (!crashed_after_) was_seen_ = true;
  const ConnectionId id{next_connection_++};
  Wire& wire = wires_[id];
  wire.member = from;
  wire.server = to;
  wire.server_number = processes_[to].server_number;
  wire.to_member = wire.to_server = now_ + delay();
  const Endpoint server = endpoint_of_server(to);
  const std::uint32_t place = *processes_[to].options.place;
  at(std::max(wire.to_member, processes_[from].awake), [this, id, server, place] {
    const Wire& there = wires_.at(id);
    if (there.stalled || !there.member_open) return;
    step_member(there.member, member_event::Connected{id, server, "10.0.1.1", bytes(kNonceSize),
                                                      bytes(kDigestSize), false, place});
  });
  at(std::max(wire.to_server, processes_[to].awake), [this, id, server] {
    Wire& there = wires_.at(id);
    if (there.stalled || !there.server_open) return;
    if (server_of(there) == nullptr) return close_from_server(id);
    step_server(there.server,
                server_event::Accepted{id, bytes(kNonceSize), server, "10.0.1.1", false});
  });
}

// A process that stands still takes its events later, in their order.
void SuccessionWorld::to_server(ConnectionId id, std::string frame) {
  Wire& wire = wires_.at(id);
  if (!wire.same_process) wire.to_server = std::max(wire.to_server, now_ + delay());
  const TimePoint when = std::max({wire.to_server, now_, processes_[wire.server].awake});
  at(when, [this, id, frame = std::move(frame)] {
    const Wire& there = wires_.at(id);
    if (!there.stalled && there.server_open && server_of(there) != nullptr)
      step_server(there.server, server_event::Received{id, frame});
  });
}

void SuccessionWorld::to_member(ConnectionId id, std::string frame) {
  Wire& wire = wires_.at(id);
  if (!wire.same_process) wire.to_member = std::max(wire.to_member, now_ + delay());
  const TimePoint when = std::max({wire.to_member, now_, processes_[wire.member].awake});
  at(when, [this, id, frame = std::move(frame)] {
    const Wire& there = wires_.at(id);
    if (there.stalled || !there.member_open) return;
    step_member(there.member, member_event::Received{id, frame});
  });
}

// What was sent before arrives before the end.
void SuccessionWorld::close_from_server(ConnectionId id) {
  Wire& wire = wires_.at(id);
  wire.server_open = false;
  if (!wire.same_process) wire.to_member = std::max(wire.to_member, now_ + delay());
  at(std::max({wire.to_member, now_, processes_[wire.member].awake}), [this, id] {
    Wire& there = wires_.at(id);
    if (!there.stalled && std::exchange(there.member_open, false))
      step_member(there.member, member_event::Disconnected{id, "closed by the server"});
  });
}

void SuccessionWorld::close_from_member(ConnectionId id) {
  Wire& wire = wires_.at(id);
  wire.member_open = false;
  if (!wire.same_process) wire.to_server = std::max(wire.to_server, now_ + delay());
  at(std::max({wire.to_server, now_, processes_[wire.server].awake}), [this, id] {
    Wire& there = wires_.at(id);
    if (!there.stalled && std::exchange(there.server_open, false) && server_of(there) != nullptr)
      step_server(there.server, server_event::Disconnected{id, "closed by the member"});
  });
}

// Null when that server is gone, though the process may have another one by now.
ServerEngine* SuccessionWorld::server_of(const Wire& wire) {
  Process& process = processes_[wire.server];
  return process.server_number == wire.server_number ? process.server.get() : nullptr;
}

void SuccessionWorld::violate(const std::string& what) {
  tell("VIOLATION: " + what);
  violations_.push_back(what);
}

void SuccessionWorld::tell(const std::string& what) {
  story_ += std::to_string(std::chrono::duration_cast<Duration>(now_.time_since_epoch()).count());
  story_ += " ms: " + what + "\n";
}

}  // namespace muster::rendezvous
