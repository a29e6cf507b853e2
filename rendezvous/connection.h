// Connection: bytes in and out of one stream socket on a loop. A shell; knows no message format.
//
// Writes go through one queue with a byte cap: a peer that does not read is dropped, never waited
// for. The owner's callbacks come from the loop only; after close() or detach there are none.
// The one class held by shared_ptr: Asio's pending waits must outlive its removal by the owner.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/time.h"

namespace muster::rendezvous {

// Why a connection ended by itself.
struct Ending {
  // True when the peer's kernel does not answer (ETIMEDOUT, no route), false when it closed.
  bool peer_is_silent = false;
  std::string detail;  // "connection closed by peer", "connection reset by peer"
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using OnBytes = std::function<void(std::string_view)>;
  using OnEnded = std::function<void(const Ending&)>;

  // `socket` must be non-blocking and connected, or connecting.
  static std::shared_ptr<Connection> create(asio::io_context& loop, Fd socket,
                                            std::size_t write_cap);

  // Starts to read. `on_bytes` gets what arrives, in pieces; `on_ended` is the last callback. Both
  // may call close().
  void start(OnBytes on_bytes, OnEnded on_ended);

  // Queues; over the cap the connection ends by itself.
  void send(std::shared_ptr<const std::string> bytes);
  void send(std::string bytes) { send(std::make_shared<const std::string>(std::move(bytes))); }

  bool has_unsent() const { return queued_bytes_ > 0; }
  bool is_open() const { return !closed_; }
  int descriptor() { return stream_.native_handle(); }

  // At once; what is queued is dropped.
  void close();

  // No callbacks from here on. Closes when all is written and the peer has closed too (a close
  // before that could destroy what the peer has not read yet), or at the latest after `limit`.
  void close_after_flush(Duration limit);

 private:
  Connection(asio::io_context& loop, Fd socket, std::size_t write_cap);

  void start_read();
  void on_readable(const boost::system::error_code& error);
  void start_write();
  void on_writable(const boost::system::error_code& error);
  bool write_queued();  // false when the connection ended
  void pop_written(std::size_t size);
  void say_end();
  void end_soon(Ending ending);
  void end(const Ending& ending);

  asio::posix::stream_descriptor stream_;
  asio::steady_timer flush_limit_;
  OnBytes on_bytes_;
  OnEnded on_ended_;
  std::deque<std::shared_ptr<const std::string>> queue_;
  std::size_t first_written_ = 0;  // bytes of queue_.front() that are gone already
  std::size_t queued_bytes_ = 0;
  std::size_t write_cap_;
  bool waits_for_write_ = false;
  bool closing_ = false;  // after close_after_flush()
  bool ending_ = false;   // on_ended is posted
  bool closed_ = false;
};

}  // namespace muster::rendezvous
