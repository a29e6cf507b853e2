#include "launcher/agent/coordinator_host.h"

#include <utility>

#include "launcher/options/exit_codes.h"
#include "rendezvous/ports.h"
#include "rendezvous/random.h"
#include "rendezvous/text.h"

namespace muster::launcher {

namespace {

constexpr Duration kFlushAtEnd{500};
// Agents that lost the coordinator before come one after the other; all shall hear why it ended.
constexpr Duration kTellLatecomers{2000};
constexpr std::size_t kCheckKeyBytes = 32;

std::string in_seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

WallTime wall_clock() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

std::string name_hosts(const std::vector<rendezvous::ExpectedMember>& members) {
  std::vector<std::string> hosts;
  for (const rendezvous::ExpectedMember& member : members) {
    if (hosts.empty() || hosts.back() != member.host) hosts.push_back(member.host);
  }
  return rendezvous::fold_hosts(hosts);
}

}  // namespace

class CoordinatorHost::Body : public rendezvous::ServerObserver {
 public:
  Body(asio::io_context& loop, CoordinatorHostOptions options, Callbacks callbacks)
      : loop_(loop),
        timer_(loop),
        latecomers_(loop),
        options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        coordinator_(options_.coordinator),
        check_observer_(*this) {}

  Status open() {
    MUSTER_TRY(server, rendezvous::Server::open(loop_, options_.server, *this));
    server_ = std::move(server);
    return {};
  }

  rendezvous::Server& server() { return *server_; }

  void on_assembled(const rendezvous::Roster& roster) override {
    roster_ = roster;
    step(Assembled{roster});
  }

  void on_assembly_progress(const std::vector<rendezvous::ExpectedMember>& missing,
                            Duration waited) override {
    callbacks_.print("muster: waited " + in_seconds(waited) + " for " +
                     std::to_string(missing.size()) + " of " +
                     std::to_string(options_.server.expected.size()) +
                     " agents, missing on: " + name_hosts(missing));
  }

  void on_assembly_failed(const Error& error) override {
    const ExitCode code = error.code() == ErrorCode::kTimeout            ? ExitCode::kMissingNodes
                          : error.code() == ErrorCode::kPermissionDenied ? ExitCode::kRefused
                          : error.code() == ErrorCode::kUnavailable      ? ExitCode::kLost
                                                                         : ExitCode::kInternal;
    step(AssemblyFailed{error.message(), to_int(code)});
  }

  void on_yielded() override { callbacks_.yielded(server_->last_generation()); }

  void on_message(MemberIndex from, std::string_view bytes) override {
    Result<FromAgent> message = parse_from_agent(bytes);
    if (!message) return on_note(message.error().message());
    step(AgentSaid{from, std::move(*message)});
  }

  void on_member_suspect(MemberIndex member, Duration silent) override {
    callbacks_.print("muster: " + host_of(member) + ": its agent is silent for " +
                     in_seconds(silent));
  }

  void on_member_lost(const rendezvous::Loss& loss) override {
    agent_lost_ = true;
    AgentLost event;
    event.agent = loss.member;
    event.whole_node = loss.kind == rendezvous::LossKind::kSilent;
    event.detail = loss.detail;
    event.decided = wall_clock();
    event.last_heard = event.decided;
    if (event.whole_node) event.last_heard -= options_.server.lost_after;
    step(event);
  }

  void on_member_left(MemberIndex) override {}

  void on_note(std::string_view line) override { callbacks_.print("muster: " + std::string(line)); }

 private:
  // Of the rendezvous of check groups. What happens to its members is learnt from their agents.
  class CheckObserver : public rendezvous::ServerObserver {
   public:
    explicit CheckObserver(Body& body) : body_(body) {}
    void on_assembled(const rendezvous::Roster&) override {}
    void on_assembly_progress(const std::vector<rendezvous::ExpectedMember>& missing,
                              Duration waited) override {
      body_.callbacks_.print("muster: check: waited " + in_seconds(waited) +
                             " for muster-bench on: " + name_hosts(missing));
    }
    void on_assembly_failed(const Error&) override {}
    void on_message(MemberIndex, std::string_view) override {}
    void on_member_suspect(MemberIndex, Duration) override {}
    void on_member_lost(const rendezvous::Loss&) override {}
    void on_member_left(MemberIndex) override {}
    void on_note(std::string_view line) override { body_.on_note("check: " + std::string(line)); }

   private:
    Body& body_;
  };

  void step(const Event& event) {
    for (const Effect& effect : coordinator_.step(event, Clock::now())) apply(effect);
    arm_timer();
  }

  void apply(const Effect& effect) {
    if (const auto* to_one = std::get_if<SendTo>(&effect)) {
      server_->send(to_one->agent, encode(to_one->message));
    } else if (const auto* to_all = std::get_if<SendToAll>(&effect)) {
      server_->send_to_all(encode(to_all->message));
    } else if (const auto* say = std::get_if<Say>(&effect)) {
      callbacks_.print(say->text);
    } else if (const auto* group = std::get_if<OpenCheckGroups>(&effect)) {
      open_check_groups(*group);
    } else if (std::holds_alternative<CloseCheckGroups>(effect)) {
      close_check_groups();
    } else if (const auto* report = std::get_if<KeepReport>(&effect)) {
      callbacks_.report(report->text);
    } else if (const auto* baseline = std::get_if<KeepBaseline>(&effect)) {
      callbacks_.baseline(baseline->profile);
    } else if (const auto* unfit = std::get_if<KeepUnfit>(&effect)) {
      callbacks_.unfit(unfit->unfit);
    } else if (const auto* finish = std::get_if<Finish>(&effect)) {
      finish_job(finish->exit_code);
    }
  }

  void finish_job(int exit_code) {
    const bool may_come_late = options_.server.epoch != 0 && roster_.members.empty();
    if (!may_come_late || server_->has_told_all()) return end_job(exit_code);
    latecomers_.expires_after(kTellLatecomers);
    latecomers_.async_wait([this, exit_code](const boost::system::error_code& error) {
      if (error != asio::error::operation_aborted) end_job(exit_code);
    });
  }

  void end_job(int exit_code) {
    server_->close("the job ended", kFlushAtEnd);
    callbacks_.finish(exit_code, agent_lost_);
  }

  void open_check_groups(const OpenCheckGroups& order) {
    CheckGroupsOpened opened{order.gang, {}, rendezvous::random_bytes(kCheckKeyBytes)};
    for (std::uint32_t number = 0; number < order.groups.size(); ++number) {
      const auto port = open_check_group(order, number, opened.key);
      if (!port) {
        close_check_groups();
        return answer(CheckGroupsFailed{order.gang, port.error().message()});
      }
      opened.ports.push_back(*port);
    }
    answer(std::move(opened));
  }

  Result<std::uint16_t> open_check_group(const OpenCheckGroups& order, std::uint32_t number,
                                         const std::string& key) {
    rendezvous::ServerOptions options;
    options.incarnation = options_.server.incarnation;
    options.incarnation.scope = check_scope(order.gang, number);
    options.expected = order.groups[number];
    options.node = options.expected.front().node;  // where a Group looks for its server
    options.ports = rendezvous::candidate_ports(options.incarnation, {});
    options.bind_address = options_.server.bind_address;
    options.authentication.method = rendezvous::AuthenticationMethod::kKey;
    options.authentication.key = key;
    options.assembly_deadline = order.deadline;
    // One that measures, or starts NCCL, is silent for as long as that takes.
    options.suspect_after = std::chrono::hours(24);
    MUSTER_TRY(server, rendezvous::Server::open(loop_, options, check_observer_));
    check_servers_.push_back(std::move(server));
    return check_servers_.back()->port();
  }

  // Not from inside the step that asks.
  void answer(Event event) {
    asio::post(loop_, [this, event = std::move(event)]() { step(event); });
  }

  void close_check_groups() {
    for (const auto& server : check_servers_) server->close("the round is over", Duration{0});
    // Not destroyed here: this may run inside one of their callbacks.
    for (auto& server : check_servers_) retired_servers_.push_back(std::move(server));
    check_servers_.clear();
    asio::post(loop_, [this]() { retired_servers_.clear(); });
  }

  void arm_timer() {
    const std::optional<TimePoint> deadline = coordinator_.next_deadline();
    if (!deadline) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(*deadline);
    timer_.async_wait([this](const boost::system::error_code& error) { on_timer(error); });
  }

  void on_timer(const boost::system::error_code& error) {
    if (error == asio::error::operation_aborted) return;
    const std::optional<TimePoint> deadline = coordinator_.next_deadline();
    if (deadline && *deadline <= Clock::now()) step(DeadlinePassed{});
  }

  std::string host_of(MemberIndex member) const {
    const std::size_t index = value_of(member);
    if (index < roster_.members.size()) return roster_.members[index].description.host;
    return "agent " + std::to_string(index);
  }

  asio::io_context& loop_;
  asio::steady_timer timer_;
  asio::steady_timer latecomers_;
  CoordinatorHostOptions options_;
  Callbacks callbacks_;
  Coordinator coordinator_;
  rendezvous::Roster roster_;
  bool agent_lost_ = false;
  CheckObserver check_observer_;
  std::unique_ptr<rendezvous::Server> server_;
  std::vector<std::unique_ptr<rendezvous::Server>> check_servers_;    // of the round's groups
  std::vector<std::unique_ptr<rendezvous::Server>> retired_servers_;  // about to be destroyed
};

CoordinatorHost::CoordinatorHost(std::unique_ptr<Body> body) : body_(std::move(body)) {}
CoordinatorHost::~CoordinatorHost() = default;

Result<std::unique_ptr<CoordinatorHost>> CoordinatorHost::open(asio::io_context& loop,
                                                               CoordinatorHostOptions options,
                                                               Callbacks callbacks) {
  auto body = std::make_unique<Body>(loop, std::move(options), std::move(callbacks));
  MUSTER_RETURN_IF_ERROR(body->open());
  return std::unique_ptr<CoordinatorHost>(new CoordinatorHost(std::move(body)));
}

Result<Fd> CoordinatorHost::connect_local() {
  return body_->server().connect_local();
}

void CoordinatorHost::meet_rival(std::uint32_t epoch) {
  body_->server().meet_rival(epoch);
}

void CoordinatorHost::close(std::string_view reason) {
  body_->server().close(reason, kFlushAtEnd);
}

}  // namespace muster::launcher
