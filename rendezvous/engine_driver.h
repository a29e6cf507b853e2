// EngineDriver: gives events to a pure engine and its effects to the owner, in order. A shell.
//
// Events of the loop (bytes, timers) are carried out at once; those of the application's calls are
// carried out from the loop, so that no callback comes from inside a call. Arms the one timer of
// next_deadline(). The owner may be destroyed by what an effect calls.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/time.h"
#include "rendezvous/handshake.h"
#include "rendezvous/timer.h"

namespace muster::rendezvous {

// The digests of hmac.h, for the engines.
Digests real_digests();

template <class Engine, class Event, class Tick, class Effect>
class EngineDriver {
 public:
  using Apply = std::function<void(Effect)>;

  template <class Options>
  EngineDriver(asio::io_context& loop, Options options, Apply apply)
      : loop_(loop),
        engine_(std::move(options), real_digests(), Clock::now()),
        apply_(std::move(apply)),
        timer_(loop, [this] { on_timer(); }) {}

  Engine& engine() { return engine_; }
  const Engine& engine() const { return engine_; }

  // From a handler of the loop.
  void step(const Event& event) {
    queue(engine_.step(event, Clock::now()));
    drain();
  }

  // From a call of the application.
  void step_later(const Event& event) {
    queue(engine_.step(event, Clock::now()));
    drain_later();
  }

  template <class Effects>
  void queue(Effects effects) {
    for (auto& effect : effects) effects_.push_back(std::move(effect));
  }

  // Carries out what is queued from the loop.
  void drain_later() {
    asio::post(loop_, [this, alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) drain();
    });
  }

  // Carries out everything now, also from inside an effect: for an owner that ends.
  void drain_now() {
    while (!effects_.empty()) apply_first();
  }

 private:
  void drain() {
    if (draining_) return;
    draining_ = true;
    const std::weak_ptr<char> alive = alive_;
    while (!effects_.empty()) {
      apply_first();
      if (alive.expired()) return;
    }
    draining_ = false;
    arm();
  }

  void apply_first() {
    const Apply apply = apply_;  // survives us
    Effect effect = std::move(effects_.front());
    effects_.pop_front();
    apply(std::move(effect));
  }

  void arm() {
    const TimePoint wish = engine_.next_deadline();
    // A timer that fires early costs one tick; moving it with every message would cost more.
    if (wish == TimePoint::max() || (timer_.is_armed() && armed_for_ <= wish)) return;
    armed_for_ = wish;
    timer_.arm_at(wish);
  }

  void on_timer() { step(Tick{}); }

  asio::io_context& loop_;
  Engine engine_;
  Apply apply_;
  LoopTimer timer_;
  TimePoint armed_for_{};
  std::deque<Effect> effects_;
  bool draining_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace muster::rendezvous
