// Outlet: a queue of bytes before one pipe, socket or terminal, written when it is ready.
//
// Shell on the caller's io_context; a write never blocks: where possible through an own,
// non-blocking description of the file (a flag on a shared one would reach our caller's shell),
// else after a poll and in small pieces. Items are never torn: each write holds as many whole items
// as fit in `max_write`. A broken destination swallows everything.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::output {

class Outlet {
 public:
  static constexpr std::size_t kFull = 256 * 1024;  // above this, producers should pause ...
  static constexpr std::size_t kLow = 64 * 1024;    // ... until it has fallen to this

  // Whether `fd` is something an outlet can wait for (pipe, socket, terminal).
  static bool suits(int fd);

  // Does not own `fd`.
  Outlet(boost::asio::io_context& io, int fd, std::size_t max_write);
  ~Outlet();  // what is queued is lost
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  void push(std::string_view item);

  std::size_t queued() const;
  bool is_full() const { return queued() > kFull; }
  // When bytes last went out, or the queue last was empty.
  TimePoint last_progress() const;

  // Called from the loop whenever the queue has fallen to kLow, and again when it is empty.
  void on_low(std::function<void()> callback);

 private:
  struct State;
  std::shared_ptr<State> state_;  // pending handlers hold it too
};

// A destination that several lanes share.
struct Target {
  Outlet* outlet = nullptr;  // null: takes nothing yet, or no more
  bool dropping = false;     // it stands still for good: nobody waits for it any more

  bool is_full() const { return outlet != nullptr && outlet->is_full(); }
  bool is_empty() const { return outlet == nullptr || outlet->queued() == 0; }
  bool blocks() const { return is_full() && !dropping; }
  bool stands_still(Duration limit) const {
    return is_full() && Clock::now() - outlet->last_progress() >= limit;
  }
};

}  // namespace muster::output
