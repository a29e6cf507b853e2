#include "tests/bench/simulate/crowd.h"

#include <unistd.h>

#include <algorithm>

namespace muster::simulate {

namespace {

// A drop happens while its agent proves itself, waits for the others or acknowledges.
constexpr std::int64_t kDropWithin_ms = 200;
constexpr std::size_t kMaxErrorText = 1000;
// Towards one address and port the kernel has 14,115 local ports at hand (one parity of 32768 to
// 60999); for the next ones each connect looks at all of those first. Agents of different nodes
// never share them.
constexpr std::uint32_t kAgentsPerAddress = 8192;

}  // namespace

class Crowd::Agent final : public rendezvous::SessionObserver {
 public:
  Agent(Crowd& crowd, std::uint32_t member)
      : crowd_(crowd),
        member_(member),
        starter_(crowd.loop_, [this] { join(); }),
        dropper_(crowd.loop_, [this] { drop(); }) {}

  void start_after(Duration delay, Duration drop_after) {
    starter_.arm_after(delay);
    if (drop_after > Duration::zero()) dropper_.arm_after(delay + drop_after);
  }

  rendezvous::Session& session() { return *session_; }
  bool is_member() const { return is_member_; }

  void on_roster(const rendezvous::Roster&) override {
    is_member_ = true;
    dropper_.cancel();
    crowd_.on_through({}, began_ns_);
  }
  void on_message(std::string_view) override {}
  void on_coordinator_silent(bool) override {}
  void on_closed(const Error& error) override {
    if (!is_member_) crowd_.on_through(failure(error), began_ns_);
    is_member_ = false;
  }
  void on_note(std::string_view) override {}

 private:
  void join() {
    began_ns_ = now_ns();
    session_ = rendezvous::Session::join(crowd_.loop_, crowd_.session_options(member_), *this,
                                         &crowd_.helpers_);
  }

  // As if the process had died and another one came in its place.
  void drop() {
    session_.reset();
    join();
  }

  Crowd& crowd_;
  std::uint32_t member_;
  rendezvous::LoopTimer starter_;
  rendezvous::LoopTimer dropper_;
  std::unique_ptr<rendezvous::Session> session_;
  std::int64_t began_ns_ = 0;
  bool is_member_ = false;
};

Crowd::Crowd(const Meeting& meeting, std::uint32_t first, std::uint32_t end, Fd channel)
    : meeting_(meeting),
      first_(first),
      random_(static_cast<std::minstd_rand::result_type>(meeting.options.seed + first)),
      channel_(
          loop_, std::move(channel),
          [this](std::string_view body) { carry_out(parse_order(body)); },
          [this] { loop_.stop(); }),
      helpers_(loop_, rendezvous::SidecarPool::fitting_size()) {
  for (std::uint32_t member = first; member < end; ++member)
    agents_.push_back(std::make_unique<Agent>(*this, member));
}

Crowd::~Crowd() = default;

void Crowd::run() {
  loop_.run();
}

void Crowd::carry_out(const Order& order) {
  order_ = order;
  measured_ = {};
  cpu_before_ms_ = cpu_ms();
  if (order.step == Step::kAssemble) return start_agents();
  if (order.step == Step::kLeave) return leave_all();
  const std::string name = std::string(name_of(order.step)) + std::to_string(order.round);
  for (const auto& agent : agents_) start_collective(*agent, name);
}

// The agents that drop come first, then those that are late; by their place in the meeting.
void Crowd::start_agents() {
  const Options& options = meeting_.options;
  std::uniform_int_distribution<std::int64_t> delay(0, options.delay.count());
  std::uniform_int_distribution<std::int64_t> drop(1, kDropWithin_ms);
  std::uint32_t member = first_;
  for (const auto& agent : agents_) {
    const bool drops = member < options.drop;
    const bool is_late = !drops && member < options.drop + options.late;
    agent->start_after(is_late ? options.late_by : Duration(delay(random_)),
                       drops ? Duration(drop(random_)) : Duration::zero());
    ++member;
  }
}

void Crowd::start_collective(Agent& agent, const std::string& name) {
  const std::int64_t began = now_ns();
  const Duration limit = meeting_.options.deadline;
  if (!agent.is_member())
    return on_through(failure(ErrorCode::kUnavailable, "is no member"), began);
  const std::string bytes(meeting_.options.bytes, 'x');
  if (order_.step == Step::kBarrier) {
    agent.session().barrier(name, limit, [this, began](Status done) { on_through(done, began); });
  } else if (order_.step == Step::kAllGather) {
    agent.session().all_gather(name, bytes, limit,
                               [this, began](Result<std::vector<std::string>> values) {
                                 on_through(values ? Status() : failure(values.error()), began);
                               });
  } else {
    agent.session().broadcast(name, MemberIndex{0}, bytes, limit,
                              [this, began](Result<std::string> value) {
                                on_through(value ? Status() : failure(value.error()), began);
                              });
  }
}

void Crowd::leave_all() {
  for (const auto& agent : agents_) {
    const std::int64_t began = now_ns();
    if (!agent->is_member()) {
      on_through(failure(ErrorCode::kUnavailable, "is no member"), began);
      continue;
    }
    agent->session().leave(meeting_.options.deadline,
                           [this, began](Status done) { on_through(done, began); });
  }
}

void Crowd::on_through(const Status& status, std::int64_t began_ns) {
  const std::int64_t now = now_ns();
  measured_.us.push_back(static_cast<std::uint32_t>((now - began_ns) / 1000));
  measured_.last_ns = std::max(measured_.last_ns, now - order_.begun_ns);
  if (!status && measured_.failed++ == 0)
    measured_.first_error = status.error().message().substr(0, kMaxErrorText);
  if (measured_.us.size() < agents_.size()) return;
  measured_.cpu_us = static_cast<std::uint32_t>((cpu_ms() - cpu_before_ms_) * 1000);
  channel_.send(encode(measured_));
}

rendezvous::SessionOptions Crowd::session_options(std::uint32_t member) const {
  const rendezvous::ExpectedMember& expected = meeting_.expected[member];
  rendezvous::SessionOptions options;
  options.incarnation = meeting_.incarnation;
  options.self = {expected.node, expected.task, expected.host,
                  static_cast<std::uint32_t>(::getpid()), std::string(meeting_.options.facts, 'f')};
  options.successors = {
      {NodeIndex{0}, {"127.0.0." + std::to_string(1 + member / kAgentsPerAddress)}}};
  options.ports = meeting_.ports;
  options.authentication = meeting_.authentication;
  options.wants_members = meeting_.options.wants_roster;
  options.deadline = meeting_.options.deadline;
  return options;
}

}  // namespace muster::simulate
