#include "rendezvous/tcpstore/store_server.h"

#include <optional>
#include <utility>

#include "rendezvous/tcpstore/store_listener.h"
#include "rendezvous/tcpstore/store_sockets.h"
#include "rendezvous/timer.h"

namespace muster::tcpstore {

namespace {

// Lets the owner's loop watch the epoll descriptor of StoreSockets, and tells the observer.
class LoopStoreServer final : public StoreServer {
 public:
  LoopStoreServer(asio::io_context& loop, std::unique_ptr<StoreSockets> sockets, std::uint16_t port,
                  StoreObserver& observer)
      : loop_(loop),
        sockets_(std::move(sockets)),
        port_(port),
        observer_(observer),
        readiness_(loop, sockets_->epoll()),
        deadline_(loop, [this] { on_deadline(); }) {
    start_wait();
  }

  // The descriptor is owned by sockets_. Handlers that wait in the loop find alive_ expired.
  ~LoopStoreServer() override { readiness_.release(); }

  std::uint16_t port() const override { return port_; }

  void admit(PeerId peer) override {
    sockets_->admit(peer);
    post_turn();  // tells the note of one that could not be watched
  }

  void refuse(PeerId peer, std::string_view why) override {
    sockets_->refuse(peer, why, Clock::now());
    post_turn();  // tells the note
  }

 private:
  using Guard = std::weak_ptr<char>;

  void start_wait() {
    if (std::exchange(is_waiting_, true)) return;
    readiness_.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, guard = Guard(alive_)](const boost::system::error_code& error) {
                            if (!guard.expired()) on_readable(error);
                          });
  }

  void on_readable(const boost::system::error_code& error) {
    is_waiting_ = false;
    if (!error) take_turn();
  }

  void post_turn() {
    if (std::exchange(is_posted_, true)) return;
    asio::post(loop_, [this, guard = Guard(alive_)] {
      if (!guard.expired()) on_posted();
    });
  }

  void on_posted() {
    is_posted_ = false;
    take_turn();
  }

  void on_deadline() {
    armed_.reset();
    sockets_->note_time(Clock::now());
    take_turn();
  }

  void take_turn() {
    const bool may_be_more = sockets_->turn(Clock::now());
    const Guard guard = alive_;
    tell_observer(guard);
    if (guard.expired()) return;
    arm_deadline();
    if (may_be_more) return post_turn();
    start_wait();
  }

  // The observer may destroy this object.
  void tell_observer(const Guard& guard) {
    for (const Peer& peer : sockets_->take_peers()) {
      observer_.on_peer(peer);
      if (guard.expired()) return;
    }
    for (const std::string& line : sockets_->take_notes()) {
      observer_.on_note(line);
      if (guard.expired()) return;
    }
    const std::optional<Error> failed = sockets_->take_failure();
    if (failed) observer_.on_failed(*failed);
  }

  void arm_deadline() {
    const std::optional<TimePoint> next = sockets_->next_deadline();
    if (next == armed_) return;
    armed_ = next;
    if (!next) return deadline_.cancel();
    deadline_.arm_at(*next);
  }

  asio::io_context& loop_;
  std::unique_ptr<StoreSockets> sockets_;
  std::uint16_t port_;
  StoreObserver& observer_;
  asio::posix::stream_descriptor readiness_;
  rendezvous::LoopTimer deadline_;
  std::optional<TimePoint> armed_;
  bool is_waiting_ = false;
  bool is_posted_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace

Result<std::unique_ptr<StoreServer>> StoreServer::open(asio::io_context& loop,
                                                       StoreServerOptions options,
                                                       StoreObserver& observer) {
  MUSTER_TRY(listener, listen_for_clients(options.ports, options.bind_address,
                                          options.leave_next_free, options.lost_after));
  StoreSocketsOptions rules;
  rules.ask_admission = options.ask_admission;
  rules.admission_deadline = options.admission_deadline;
  MUSTER_TRY(sockets, StoreSockets::open(std::move(listener.socket), rules));
  return std::make_unique<LoopStoreServer>(loop, std::move(sockets), listener.port, observer);
}

}  // namespace muster::tcpstore
