// LoopTimer: one deadline on a loop. A shell.
//
// Arming again replaces the earlier deadline. After cancel() or destruction the callback is never
// called, not even when the time had already passed and the handler waited in the loop's queue.
#pragma once

#include <functional>
#include <memory>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/time.h"

namespace muster::rendezvous {

class LoopTimer {
 public:
  LoopTimer(asio::io_context& loop, std::function<void()> on_expired);
  ~LoopTimer();
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;

  void arm_at(TimePoint when);
  void arm_after(Duration delay) { arm_at(Clock::now() + delay); }
  void cancel();
  bool is_armed() const;

 private:
  // Shared, because Asio may call a handler after its timer is gone.
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace muster::rendezvous
