#include "rendezvous/server.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "rendezvous/connection_table.h"
#include "rendezvous/engine_driver.h"
#include "rendezvous/generation.h"
#include "rendezvous/note_limiter.h"
#include "rendezvous/random.h"
#include "rendezvous/server_engine.h"
#include "rendezvous/sidecar_pool.h"
#include "rendezvous/sockets.h"
#include "rendezvous/timer.h"

namespace muster::rendezvous {

namespace {

// Many: while they wait in the kernel's queue, which is short, newcomers are turned off there and
// come again a second later.
constexpr int kAcceptsPerWake = 4096;
constexpr Duration kFlushLimit = std::chrono::seconds(2);
// Without descriptors accepting would fail in a busy loop; some come back meanwhile.
constexpr Duration kPauseWithoutDescriptors = std::chrono::milliseconds(100);

ServerEngineOptions engine_options(const ServerOptions& options) {
  ServerEngineOptions engine;
  engine.incarnation = options.incarnation;
  engine.node = options.node;
  engine.expected = options.expected;
  engine.epoch = options.epoch;
  engine.last_generation = std::max(options.last_generation, none_of_epoch(options.epoch));
  engine.minimum_nodes = options.minimum_nodes;
  engine.last_call = options.last_call;
  engine.lost_node = options.lost_node;
  engine.method = options.authentication.method;
  engine.key = options.authentication.key;
  engine.uid = ::getuid();
  engine.assembly_deadline = options.assembly_deadline;
  engine.progress_interval = options.progress_interval;
  engine.suspect_after = options.suspect_after;
  return engine;
}

std::string own_host(const ServerOptions& options) {
  const auto own = std::find_if(options.expected.begin(), options.expected.end(),
                                [&](const auto& member) { return member.node == options.node; });
  return own == options.expected.end() ? "" : own->host;
}

Result<Fd> listen_on_first_free(const ServerOptions& options) {
  if (options.ports.empty())
    return failure(ErrorCode::kInvalidArgument, "no ports given to listen on; give at least one");
  std::string taken;
  for (const std::uint16_t port : options.ports) {
    Result<Fd> listener = listen_on(options.bind_address, port);
    if (listener || listener.error().code() != ErrorCode::kUnavailable) return listener;
    taken += (taken.empty() ? "" : ", ") + std::to_string(port);
  }
  return failure(ErrorCode::kUnavailable, "no port is free; taken are " + taken);
}

class AsioServer final : public Server {
 public:
  AsioServer(asio::io_context& loop, ServerOptions options, Fd listener, ServerObserver& observer);
  ~AsioServer() override;

  std::uint16_t port() const override { return port_; }
  void meet_rival(std::uint32_t epoch) override {
    driver_.step_later(server_event::RivalMet{epoch});
  }
  Generation last_generation() const override { return driver_.engine().last_generation(); }
  bool has_told_all() const override { return driver_.engine().has_told_all(); }
  Result<Fd> connect_local() override;
  void send(MemberIndex to, std::string bytes) override;
  void send_to_all(std::string bytes) override;
  void close(std::string_view reason, Duration flush) override;

 private:
  using Driver = EngineDriver<ServerEngine, ServerEvent, server_event::Tick, ServerEffect>;

  void start_accept();
  void on_acceptable(const boost::system::error_code& error);
  void add(Accepted accepted);
  void on_bytes(ConnectionId id, std::string_view bytes);
  void on_ended(ConnectionId id, const Ending& ending);
  void on_decoded(ConnectionId id, const Result<SidecarAnswer>& answer);

  void carry_out(const SendFrame& effect) { connections_.send(effect.connection, effect.bytes); }
  void carry_out(const CloseConnection& effect) {
    connections_.close_after_flush(effect.connection, flush_limit_);
  }
  void carry_out(const DecodeCredential& effect);
  void carry_out(const Note& effect) { note(effect.line); }
  void carry_out(const server_effect::Assembled& effect);
  void carry_out(const server_effect::AssemblyProgress& effect);
  void carry_out(const server_effect::AssemblyFailed& effect);
  void carry_out(const server_effect::Yielded& effect);
  void carry_out(const server_effect::MessageArrived& effect);
  void carry_out(const server_effect::MemberSuspect& effect);
  void carry_out(const server_effect::MemberLost& effect);
  void carry_out(const server_effect::MemberLeft& effect);
  void note(std::string_view line);

  ServerOptions options_;
  ServerObserver* observer_;  // null after close()
  asio::posix::stream_descriptor listener_;
  std::uint16_t port_ = 0;
  Duration flush_limit_ = kFlushLimit;
  NoteLimiter notes_;
  SidecarPool sidecars_;
  LoopTimer accept_pause_;
  ConnectionTable connections_;
  Driver driver_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

AsioServer::AsioServer(asio::io_context& loop, ServerOptions options, Fd listener,
                       ServerObserver& observer)
    : options_(std::move(options)),
      observer_(&observer),
      listener_(loop, listener.release()),
      sidecars_(loop, SidecarPool::fitting_size(),
                {.host = own_host(options_),
                 .on_stuck = [this](const Error& error) { note(error.message()); }}),
      accept_pause_(loop, [this] { start_accept(); }),
      connections_(loop, {[this](ConnectionId id, std::string_view bytes) { on_bytes(id, bytes); },
                          [this](ConnectionId id, const Ending& end) { on_ended(id, end); }}),
      driver_(loop, engine_options(options_), [this](ServerEffect effect) {
        std::visit([this](const auto& each) { carry_out(each); }, effect);
      }) {
  if (const auto local = local_address(listener_.native_handle())) port_ = port_of(*local);
  // What it accepts inherits it.
  tune_stream(listener_.native_handle(), std::min(options_.lost_after, kLostWhileGathering));
  start_accept();
  driver_.drain_later();  // arms the first deadline
}

AsioServer::~AsioServer() {
  boost::system::error_code ignored;
  listener_.close(ignored);
}

void AsioServer::start_accept() {
  listener_.async_wait(
      asio::posix::stream_descriptor::wait_read,
      [this, alive = std::weak_ptr<char>(alive_)](const boost::system::error_code& error) {
        if (!alive.expired()) on_acceptable(error);
      });
}

void AsioServer::on_acceptable(const boost::system::error_code& error) {
  if (error || observer_ == nullptr) return;
  const std::weak_ptr<char> alive = alive_;
  for (int i = 0; i < kAcceptsPerWake; ++i) {
    Accepted accepted;
    switch (accept_one(listener_.native_handle(), accepted)) {
      case AcceptOutcome::kAccepted:
        add(std::move(accepted));
        if (alive.expired() || observer_ == nullptr) return;
        break;
      case AcceptOutcome::kNothingWaits:
        return start_accept();
      case AcceptOutcome::kOutOfDescriptors:
        accept_pause_.arm_after(kPauseWithoutDescriptors);
        driver_.step(server_event::OutOfDescriptors{});
        if (alive.expired() || observer_ == nullptr) return;
        return note("out of file descriptors: joiners must wait (raise ulimit -n)");
      case AcceptOutcome::kBroken:
        return note("the listening socket is broken: no more joiners");
    }
  }
  start_accept();
}

void AsioServer::add(Accepted accepted) {
  const auto local = local_address(accepted.socket.get());
  if (!local) return;  // gone already
  server_event::Accepted event;
  event.nonce = random_bytes(kNonceSize);
  event.local = endpoint_of(*local);
  event.remote_address = address_of(accepted.peer);
  event.connection = connections_.add(std::move(accepted.socket));
  driver_.step(event);
}

Result<Fd> AsioServer::connect_local() {
  MUSTER_TRY(pair, stream_pair());
  server_event::Accepted event;
  event.nonce = random_bytes(kNonceSize);
  event.same_process = true;
  event.connection = connections_.add(std::move(pair.first));
  driver_.step_later(event);
  return std::move(pair.second);
}

void AsioServer::on_bytes(ConnectionId id, std::string_view bytes) {
  driver_.step(server_event::Received{id, bytes});
}

void AsioServer::on_ended(ConnectionId id, const Ending& ending) {
  if (ending.peer_is_silent) {
    driver_.step(server_event::Stalled{id, ending.detail});
  } else {
    driver_.step(server_event::Disconnected{id, ending.detail});
  }
}

void AsioServer::carry_out(const DecodeCredential& effect) {
  sidecars_.call(MungeDecode{options_.authentication.munge_socket, effect.credential},
                 [this, id = effect.connection](const Result<SidecarAnswer>& answer) {
                   on_decoded(id, answer);
                 });
}

void AsioServer::on_decoded(ConnectionId id, const Result<SidecarAnswer>& answer) {
  server_event::CredentialDecoded event{id, DecodedCredential{}};
  if (!answer) {
    event.credential = failure(answer.error());
  } else if (const auto* content = std::get_if<MungeContent>(&*answer)) {
    event.credential = DecodedCredential{content->uid, content->payload};
  } else {
    event.credential = failure(ErrorCode::kProtocol, "the sidecar answered another call");
  }
  driver_.step(event);
}

void AsioServer::carry_out(const server_effect::Yielded&) {
  boost::system::error_code ignored;
  listener_.close(ignored);
  accept_pause_.cancel();
  if (observer_ != nullptr) std::exchange(observer_, nullptr)->on_yielded();
}

void AsioServer::carry_out(const server_effect::Assembled& effect) {
  sidecars_.stop();
  for (const int socket : connections_.descriptors()) tune_stream(socket, options_.lost_after);
  if (observer_ != nullptr) observer_->on_assembled(effect.roster);
}

void AsioServer::carry_out(const server_effect::AssemblyProgress& effect) {
  if (observer_ != nullptr) observer_->on_assembly_progress(effect.missing, effect.waited);
}

void AsioServer::carry_out(const server_effect::AssemblyFailed& effect) {
  if (observer_ != nullptr) observer_->on_assembly_failed(effect.error);
}

void AsioServer::carry_out(const server_effect::MessageArrived& effect) {
  if (observer_ != nullptr) observer_->on_message(effect.from, effect.bytes);
}

void AsioServer::carry_out(const server_effect::MemberSuspect& effect) {
  if (observer_ != nullptr) observer_->on_member_suspect(effect.member, effect.silent);
}

void AsioServer::carry_out(const server_effect::MemberLost& effect) {
  const LossKind kind = effect.unacknowledged ? LossKind::kSilent : LossKind::kDisconnected;
  if (observer_ != nullptr) observer_->on_member_lost({effect.member, kind, effect.detail});
}

void AsioServer::carry_out(const server_effect::MemberLeft& effect) {
  if (observer_ != nullptr) observer_->on_member_left(effect.member);
}

void AsioServer::note(std::string_view line) {
  if (observer_ == nullptr) return;
  const std::weak_ptr<char> alive = alive_;
  for (const std::string& each : notes_.admit(line, Clock::now())) {
    observer_->on_note(each);
    if (alive.expired() || observer_ == nullptr) return;
  }
}

void AsioServer::send(MemberIndex to, std::string bytes) {
  driver_.step_later(server_event::SendTo{to, std::move(bytes)});
}

void AsioServer::send_to_all(std::string bytes) {
  driver_.step_later(server_event::SendToAll{std::move(bytes)});
}

void AsioServer::close(std::string_view reason, Duration flush) {
  if (observer_ == nullptr) return;
  observer_ = nullptr;
  flush_limit_ = flush;
  boost::system::error_code ignored;
  listener_.close(ignored);
  accept_pause_.cancel();
  driver_.step_later(server_event::Close{std::string(reason)});
  driver_.drain_now();  // the owner may destroy us next
  sidecars_.stop();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::open(asio::io_context& loop, ServerOptions options,
                                             ServerObserver& observer) {
  const std::string context = "open rendezvous " + to_string(options.incarnation);
  const Status checked = check_options(engine_options(options));
  if (!checked) return failure(checked.error().within(context));
  Result<Fd> listener = listen_on_first_free(options);
  if (!listener) return failure(listener.error().within(context));
  return std::make_unique<AsioServer>(loop, std::move(options), std::move(*listener), observer);
}

}  // namespace muster::rendezvous
