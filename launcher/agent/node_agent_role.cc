// The role of coordinator at an agent: taken at the start, by succession, and given back.
#include <algorithm>
#include <utility>

#include "launcher/agent/node_agent.h"
#include "launcher/options/exit_codes.h"

namespace muster::launcher {

namespace {

constexpr Duration kLeastAssembly{1000};

}  // namespace

Status NodeAgent::open_host(const rendezvous::Role& role) {
  CoordinatorHostOptions options = *options_.coordinator;
  options.server.epoch = role.epoch;
  options.server.lost_node = role.lost_node;
  options.server.last_generation = last_generation_;
  // The time that passed without a coordinator counts: the members' own deadlines do not move.
  const auto passed = std::chrono::duration_cast<Duration>(Clock::now() - started_);
  options.server.assembly_deadline =
      std::max(options.server.assembly_deadline - passed, kLeastAssembly);
  CoordinatorHost::Callbacks callbacks;
  callbacks.print = [this](std::string_view text) { print(std::string(text)); };
  callbacks.finish = [this](int exit_code, bool agent_lost) {
    agent_lost_ = agent_lost;
    finish(exit_code);
  };
  callbacks.report = [this](const std::string& text) { end_.report = text; };
  callbacks.baseline = [this](const bench::Profile& baseline) { end_.baseline = baseline; };
  callbacks.yielded = [this](Generation last) {
    last_generation_ = last;
    // Not here: this runs inside a callback of the host.
    asio::post(loop_, [this]() { host_.reset(); });
  };
  MUSTER_TRY(host, CoordinatorHost::open(loop_, std::move(options), std::move(callbacks)));
  host_ = std::move(host);
  return {};
}

void NodeAgent::on_take_role(const rendezvous::Role& role) {
  if (finished_) return;
  if (!host_) {
    print("muster: " + builder_.host() + " is the coordinator now" +
          (role.lost_node ? ": the one before is lost" : ": nobody else was found"));
    const Status opened = open_host(role);
    if (!opened) {
      print("muster: " + opened.error().message());
      return finish(options::to_int(ExitCode::kMissingNodes));
    }
  }
  // A host that has failed already says why to the session too.
  Result<Fd> connection = host_->connect_local();
  if (connection) return session_->sit_at(std::move(*connection));
  print("muster: " + connection.error().message());
  finish(options::to_int(ExitCode::kInternal));
}

void NodeAgent::on_rival(std::uint32_t epoch) {
  if (host_) host_->meet_rival(epoch);
}

}  // namespace muster::launcher
