#include "rendezvous/timer.h"

#include <cstdint>

namespace muster::rendezvous {

struct LoopTimer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& loop, std::function<void()> callback)
      : timer(loop), on_expired(std::move(callback)) {}

  void on_wait(const boost::system::error_code& error, std::uint64_t number) {
    if (error || number != current) return;
    current = 0;
    // The callback may destroy the LoopTimer, and with it itself.
    const std::function<void()> callback = on_expired;
    callback();
  }

  asio::steady_timer timer;
  std::function<void()> on_expired;
  std::uint64_t last = 0;
  std::uint64_t current = 0;  // number of the armed wait; 0 when none
};

LoopTimer::LoopTimer(asio::io_context& loop, std::function<void()> on_expired)
    : state_(std::make_shared<State>(loop, std::move(on_expired))) {}

LoopTimer::~LoopTimer() {
  cancel();
}

void LoopTimer::arm_at(TimePoint when) {
  state_->current = ++state_->last;
  state_->timer.expires_at(when);
  state_->timer.async_wait(
      [state = state_, number = state_->current](const boost::system::error_code& error) {
        state->on_wait(error, number);
      });
}

void LoopTimer::cancel() {
  if (state_->current == 0) return;
  state_->current = 0;
  state_->timer.cancel();
}

bool LoopTimer::is_armed() const {
  return state_->current != 0;
}

}  // namespace muster::rendezvous
