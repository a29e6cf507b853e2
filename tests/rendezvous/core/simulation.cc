// The world of a simulation: who comes, and what goes wrong.
#include "tests/rendezvous/core/simulation.h"

#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kAssemblyDeadline{6000};
constexpr Duration kEndOfTheWorld{90000};
constexpr std::size_t kMaxEventsAtOnce = 10000;

}  // namespace

Simulation::Simulation(std::uint64_t seed, Weather weather) : random_(seed), weather_(weather) {
  server_options_.incarnation = {4242, 0, 0, ""};
  server_options_.uid = 1000;
  server_options_.key = "sixteen bytes or";
  server_options_.method = static_cast<AuthenticationMethod>(random_() % 3);
  server_options_.assembly_deadline = kAssemblyDeadline;
  server_options_.progress_interval = Duration(2000);
  server_options_.suspect_after = Duration(2000);
  plan_members();
  server_ = std::make_unique<ServerEngine>(server_options_, fake_digests(), now_);
  arm_server();
  if (weather_ == Weather::kRough) plan_faults();
}

std::vector<std::string> Simulation::run() {
  while (!events_.empty() && violations_.empty()) {
    const Event event = events_.top();
    events_.pop();
    if (event.when == now_ && ++events_at_once_ > kMaxEventsAtOnce) violate("time stands still");
    if (event.when != now_) events_at_once_ = 0;
    now_ = event.when;
    if (now_ - TimePoint() > kEndOfTheWorld) break;
    event.happen();
    finish_when_all_are_over();
  }
  check_the_end();
  return violations_;
}

void Simulation::plan_members() {
  const std::size_t members = 1 + random_() % 5;
  for (std::uint32_t i = 0; i < members; ++i) {
    server_options_.expected.push_back({NodeIndex{i}, LocalTask{}, "node" + std::to_string(i)});
    add_person("member " + std::to_string(i), NodeIndex{i}, true,
               now_ + Duration(random_() % 1500));
  }
}

void Simulation::plan_faults() {
  const auto some_time = [this] { return now_ + Duration(random_() % 7000); };
  const auto someone = [this] { return random_() % server_options_.expected.size(); };
  has_impostor_ = random_() % 3 == 0;
  for (std::uint64_t left = 1 + random_() % 5; left > 0; --left) {
    switch (random_() % 12) {
      case 0:
      case 1:
        at(some_time(), [this] {
          if (const auto wire = any_wire(true)) break_wire(*wire);
        });
        break;
      case 2:
        at(some_time(), [this] {
          if (const auto wire = any_wire(true)) stall_wire(*wire);
        });
        break;
      case 3:
        at(some_time(), [this, victim = someone()] { crash(victim); });
        break;
      case 4: {  // crashes and comes again as a new process
        const std::size_t victim = someone();
        const TimePoint when = some_time();
        at(when, [this, victim] { crash(victim); });
        add_person("successor of " + std::to_string(victim), people_[victim].options.self.node,
                   true, when + Duration(random_() % 3000));
        break;
      }
      case 5:
        add_person("double", NodeIndex{static_cast<std::uint32_t>(someone())}, true, some_time());
        break;
      case 6:
        add_person("surplus", NodeIndex{77}, true, some_time());
        break;
      case 7:
        if (server_options_.method != AuthenticationMethod::kNone)
          add_person("thief", NodeIndex{static_cast<std::uint32_t>(someone())}, false, some_time());
        break;
      case 8:
        at(some_time(), [this, sleeper = someone()] {
          people_[sleeper].awake = now_ + Duration(random_() % 8000);
        });
        break;
      case 9:
        at(some_time(), [this] { server_awake_ = now_ + Duration(random_() % 8000); });
        break;
      case 10:
        for (std::uint64_t knocks = 1 + random_() % 4; knocks > 0; --knocks)
          at(some_time(), [this] { intrude(); });
        break;
      case 11:
        at(some_time() + Duration(3000), [this] {
          server_closed_ = true;
          step_server(server_event::Close{"the operator wants it"});
        });
        break;
    }
  }
}

void Simulation::add_person(const std::string& name, NodeIndex node, bool genuine,
                            TimePoint start) {
  Person person;
  person.name = name;
  person.genuine = genuine;
  person.options.incarnation = server_options_.incarnation;
  person.options.self = {node, LocalTask{}, "node" + std::to_string(value_of(node)),
                         static_cast<std::uint32_t>(100 + people_.size()), bytes(random_() % 9)};
  person.options.method = server_options_.method;
  person.options.key = genuine ? server_options_.key : "not the key of us";
  person.options.session = bytes(kSessionSize);
  person.options.wants_members = random_() % 3 != 0;
  person.options.deadline = kAssemblyDeadline + Duration(2000);
  person.options.silent_after = Duration(2000);
  people_.push_back(std::move(person));
  at(start, [this, index = people_.size() - 1] { start_person(index); });
}

void Simulation::start_person(std::size_t index) {
  Person& person = people_[index];
  if (person.crashed) return;
  tell(person.name + " starts");
  person.engine = std::make_unique<MemberEngine>(person.options, fake_digests(), now_);
  carry_out(index, person.engine->begin());
  arm_person(index);
}

// The process is gone; its kernel closes what it had, or vanishes with it.
void Simulation::crash(std::size_t index) {
  Person& person = people_[index];
  if (person.crashed || person.over) return;
  tell(person.name + " crashes");
  person.crashed = person.over = true;
  person.engine.reset();
  person.open.clear();
  const bool kernel_lives = random_() % 2 == 0;
  for (auto& [id, wire] : wires_) {
    if (wire.person != index || !wire.member_open) continue;
    if (kernel_lives) {
      close_from_member(id);
    } else {
      stall_wire(id);
    }
  }
}

void Simulation::break_wire(ConnectionId id) {
  tell("connection " + std::to_string(value_of(id)) + " breaks");
  close_from_member(id);
  Wire& wire = wires_.at(id);
  const std::size_t person = wire.person;
  at(now_ + delay(), [this, id, person] {
    step_person(person, member_event::Disconnected{id, "connection reset by peer"});
  });
}

// Nothing passes any more; both kernels notice after a while.
void Simulation::stall_wire(ConnectionId id) {
  tell("connection " + std::to_string(value_of(id)) + " stalls");
  Wire& wire = wires_.at(id);
  wire.stalled = true;
  wire.member_open = false;
  const std::size_t person = wire.person;
  at(now_ + Duration(3000 + random_() % 500), [this, id, person] {
    step_person(person, member_event::Stalled{id, "3 s without acknowledgement"});
  });
  at(now_ + Duration(3000 + random_() % 500), [this, id] {
    if (std::exchange(wires_.at(id).server_open, false))
      step_server(server_event::Stalled{id, "3 s without acknowledgement"});
  });
}

// Somebody who is not of the job connects and says garbage, or what it has overheard.
void Simulation::intrude() {
  const ConnectionId id{next_connection_++};
  tell("an intruder connects as " + std::to_string(value_of(id)));
  Wire& wire = wires_[id];
  wire.person = people_.size();
  wire.at_server = wire.server_open = true;
  step_server(server_event::Accepted{id, bytes(kNonceSize), {"10.0.0.1", 12000}, "10.9.9.9"});
  std::string words = bytes(random_() % 64);
  if (!overheard_.empty() && random_() % 2 == 0) {
    words = overheard_[random_() % overheard_.size()];
    if (random_() % 2 == 0) words[random_() % words.size()] ^= static_cast<char>(1 + random_() % 9);
    // Without proofs a replayed join is as good as any; only keys and credentials can tell.
    if (server_options_.method == AuthenticationMethod::kNone) words.resize(words.size() / 2);
  }
  send_to_server(id, words);
}

std::optional<ConnectionId> Simulation::any_wire(bool of_server) {
  std::vector<ConnectionId> open;
  for (const auto& [id, wire] : wires_)
    if (wire.member_open && wire.server_open && wire.at_server == of_server) open.push_back(id);
  if (open.empty()) return std::nullopt;
  return open[random_() % open.size()];
}

// The last one turns off the light, so that the queue runs empty.
void Simulation::finish_when_all_are_over() {
  for (const Person& person : people_)
    if (!person.over) return;
  if (!server_closed_ && (assembled_ || failed_)) {
    server_closed_ = true;
    step_server(server_event::Close{"the end"});
  }
}

}  // namespace muster::rendezvous
