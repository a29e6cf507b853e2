#include "launcher/process/stop_ladder.h"

#include <algorithm>

namespace muster::process {

StopLadder::StopLadder(const StopPlan& plan, TimePoint now)
    : first_signal_(plan.first_signal), kill_wait_(plan.kill_wait) {
  if (first_signal_ == SIGKILL) {
    hurry(now);
    return;
  }
  if (!plan.first_signal_sent) steps_.push_back({StopAction::kSendFirst, now});
  if (first_signal_ != SIGTERM) steps_.push_back({StopAction::kSendTerm, now + plan.grace * 2 / 3});
  steps_.push_back({StopAction::kSendKill, now + plan.grace});
  steps_.push_back({StopAction::kReportStuck, now + plan.grace + plan.kill_wait});
}

std::vector<StopAction> StopLadder::step(TimePoint now) {
  std::vector<StopAction> actions;
  while (!steps_.empty() && steps_.front().due <= now) {
    actions.push_back(steps_.front().action);
    if (steps_.front().action == StopAction::kSendKill) kill_sent_ = true;
    steps_.erase(steps_.begin());
  }
  return actions;
}

std::optional<TimePoint> StopLadder::next_deadline() const {
  if (steps_.empty()) return std::nullopt;
  return steps_.front().due;
}

void StopLadder::tighten(const StopPlan& plan, TimePoint now) {
  if (kill_sent_) return;
  const auto kill_of = [](const StopLadder& ladder) {
    return std::find_if(ladder.steps_.begin(), ladder.steps_.end(),
                        [](const Step& step) { return step.action == StopAction::kSendKill; })
        ->due;
  };
  const StopLadder other(plan, now);
  if (kill_of(other) >= kill_of(*this)) return;
  *this = other;
}

void StopLadder::hurry(TimePoint now) {
  if (kill_sent_) return;
  steps_ = {{StopAction::kSendKill, now}, {StopAction::kReportStuck, now + kill_wait_}};
}

}  // namespace muster::process
