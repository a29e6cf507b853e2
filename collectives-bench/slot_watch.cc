#include "collectives-bench/slot_watch.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "collectives-bench/exit_code.h"

namespace muster::bench {

namespace {

constexpr int kSignalBase = 128;  // as shells count a death by a signal

std::string signal_text(int signum) {
  const char* name = ::sigabbrev_np(signum);
  return name == nullptr ? fmt::format("signal {}", signum)
                         : fmt::format("signal {} (SIG{})", signum, name);
}

}  // namespace

SlotWatch::SlotWatch(std::vector<std::string> labels, TimePoint deadline) : deadline_(deadline) {
  for (std::string& label : labels) slots_.push_back({std::move(label), true});
}

SlotEffects SlotWatch::on_exit(std::size_t slot, int wait_status, TimePoint now) {
  slots_[slot].runs = false;
  SlotEffects effects;
  const bool died = WIFSIGNALED(wait_status);
  const int code = died ? kSignalBase + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
  if (!kill_end_) {  // else it is our own SIGKILL that ended it
    count(code);
    const bool expected = !died || WTERMSIG(wait_status) == passed_on_;
    if (!expected) {
      effects.lines.push_back(fmt::format("{} died of {}{}", slots_[slot].label,
                                          signal_text(WTERMSIG(wait_status)),
                                          any_runs() ? "; ending the others of its task" : ""));
      kill_rest(effects, now);
    } else if (code != 0 && any_runs() && !grace_end_) {
      grace_end_ = now + kTellGrace;
    }
  }
  finish_if_over(effects);
  return effects;
}

SlotEffects SlotWatch::on_signal(int signum, TimePoint now) {
  SlotEffects effects;
  if (kill_end_) return effects;
  passed_on_ = signum;
  effects.signal = signum;
  grace_end_ = std::min(grace_end_.value_or(TimePoint::max()), now + kSignalGrace);
  return effects;
}

SlotEffects SlotWatch::on_time(TimePoint now) {
  SlotEffects effects;
  if (kill_end_) {
    if (now < *kill_end_) return effects;
    effects.lines.push_back(running_labels() + ": SIGKILL sent, still there");
    count(static_cast<int>(ExitCode::kFailed));
    effects.exit_code = highest_;
    return effects;
  }
  if (now >= deadline_) {
    effects.lines.push_back(running_labels() + " did not end by the deadline: killed");
    count(static_cast<int>(ExitCode::kDeadline));
    kill_rest(effects, now);
  } else if (grace_end_ && now >= *grace_end_) {
    effects.lines.push_back(running_labels() + " did not end with the others: killed");
    if (passed_on_) count(kSignalBase + *passed_on_);
    kill_rest(effects, now);
  }
  return effects;
}

TimePoint SlotWatch::next_deadline() const {
  return kill_end_ ? *kill_end_ : std::min(deadline_, grace_end_.value_or(TimePoint::max()));
}

std::string SlotWatch::running_labels() const {
  std::string text;
  for (const State& slot : slots_) {
    if (slot.runs) text += fmt::format("{}{}", text.empty() ? "" : ", ", slot.label);
  }
  return text;
}

bool SlotWatch::any_runs() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const State& slot) { return slot.runs; });
}

void SlotWatch::kill_rest(SlotEffects& effects, TimePoint now) {
  if (!any_runs()) return;
  effects.signal = SIGKILL;
  kill_end_ = now + kKillGrace;
}

void SlotWatch::count(int code) {
  highest_ = std::max(highest_, code);
}

void SlotWatch::finish_if_over(SlotEffects& effects) const {
  if (!any_runs()) effects.exit_code = highest_;
}

}  // namespace muster::bench
