#include "launcher/agent/worker_door.h"

#include <optional>
#include <utility>

#include "rendezvous/ports.h"
#include "rendezvous/tcpstore/store_server.h"
#include "rendezvous/timer.h"

namespace muster::launcher {

namespace {

tcpstore::StoreServerOptions server_options(const WorkerDoorOptions& options) {
  tcpstore::StoreServerOptions server;
  server.bind_address = options.bind_address;
  server.ask_admission = options.admission.mode != AdmissionMode::kOpen;
  if (options.port != 0) {
    server.ports = {options.port};
    return server;
  }
  // Other ports for each attempt: a worker of an earlier one must not find the new store.
  rendezvous::Incarnation store = options.incarnation;
  store.scope = "store." + std::to_string(value_of(options.attempt));
  server.ports = rendezvous::candidate_ports(store, {});
  server.leave_next_free = true;
  return server;
}

}  // namespace

Ownership look_up_owner(tcpstore::SocketOwners& owners, const StoreConnection& connection) {
  const auto uid = owners.find(connection.client, connection.server);
  if (!uid) return {connection.id, Finding::kNotTold, 0};
  if (!*uid) return {connection.id, Finding::kNoSuchConnection, 0};
  return {connection.id, Finding::kOwner, **uid};
}

class WorkerDoor::Body : public tcpstore::StoreObserver {
 public:
  Body(asio::io_context& loop, WorkerDoorOptions options, Callbacks callbacks)
      : options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        admission_(options_.admission),
        owners_(tcpstore::SocketOwners::open()),
        timer_(loop, [this]() { step(admission::DeadlinePassed{}); }) {}

  Status open(asio::io_context& loop) {
    auto server = tcpstore::StoreServer::open(loop, server_options(options_), *this);
    if (!server && options_.port != 0) {
      return failure(server.error().code(),
                     "--master-port=" + std::to_string(options_.port) +
                         ": cannot open the workers' store there: " + server.error().message() +
                         "; leave the option out and muster finds a free port");
    }
    if (!server) return failure(server.error().within("cannot open the workers' store"));
    server_ = std::move(*server);
    return {};
  }

  std::uint16_t port() const { return server_->port(); }
  Attempt attempt() const { return options_.attempt; }
  void tell(std::vector<Ownership> owners) { step(admission::OwnersKnown{std::move(owners)}); }

  void on_peer(const tcpstore::Peer& peer) override {
    step(admission::Came{{value_of(peer.id), peer.remote, peer.local}});
  }
  void on_note(std::string_view line) override { callbacks_.print("store: " + std::string(line)); }
  void on_failed(const Error& error) override { callbacks_.failed(error); }

 private:
  void step(const admission::Event& event) {
    for (const admission::Effect& effect : admission_.step(event, Clock::now())) apply(effect);
    const std::optional<TimePoint> deadline = admission_.next_deadline();
    if (!deadline) return timer_.cancel();
    if (deadline == armed_for_ && timer_.is_armed()) return;
    armed_for_ = deadline;
    timer_.arm_at(*deadline);
  }

  void apply(const admission::Effect& effect) {
    if (const auto* here = std::get_if<admission::LookUpHere>(&effect)) {
      step(admission::OwnersKnown{{look_up_owner(owners_, here->connection)}});
    } else if (const auto* ask = std::get_if<admission::Ask>(&effect)) {
      callbacks_.ask(ask->connections);
    } else if (const auto* admit = std::get_if<admission::Admit>(&effect)) {
      server_->admit(tcpstore::PeerId{admit->id});
    } else if (const auto* refuse = std::get_if<admission::Refuse>(&effect)) {
      server_->refuse(tcpstore::PeerId{refuse->id}, refuse->why);
    }
  }

  WorkerDoorOptions options_;
  Callbacks callbacks_;
  Admission admission_;
  tcpstore::SocketOwners owners_;
  std::optional<TimePoint> armed_for_;
  rendezvous::LoopTimer timer_;
  std::unique_ptr<tcpstore::StoreServer> server_;
};

WorkerDoor::WorkerDoor(std::unique_ptr<Body> body) : body_(std::move(body)) {}
WorkerDoor::~WorkerDoor() = default;

Result<std::unique_ptr<WorkerDoor>> WorkerDoor::open(asio::io_context& loop,
                                                     WorkerDoorOptions options,
                                                     Callbacks callbacks) {
  auto body = std::make_unique<Body>(loop, std::move(options), std::move(callbacks));
  MUSTER_RETURN_IF_ERROR(body->open(loop));
  return std::unique_ptr<WorkerDoor>(new WorkerDoor(std::move(body)));
}

std::uint16_t WorkerDoor::port() const {
  return body_->port();
}

Attempt WorkerDoor::attempt() const {
  return body_->attempt();
}

void WorkerDoor::tell(std::vector<Ownership> owners) {
  body_->tell(std::move(owners));
}

}  // namespace muster::launcher
