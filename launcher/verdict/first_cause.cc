#include "launcher/verdict/first_cause.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <tuple>
#include <utility>

#include "launcher/options/exit_codes.h"
#include "launcher/process/signals.h"
#include "launcher/verdict/judge.h"
#include "launcher/verdict/printable.h"

namespace muster::verdict {
namespace {

using options::ExitCode;
using options::to_int;
using process::signal_name;

constexpr std::size_t kWordsBytes = 300;  // leaves room in a report's line for the rest

std::optional<WallTime> first_stop(const Evidence& evidence) {
  std::optional<WallTime> first;
  for (const WorkerEnd& end : evidence.ends) {
    if (!end.stop_sent) continue;
    const WallTime sent = on_coordinator(*end.stop_sent, end.clock);
    if (!first || sent < *first) first = sent;
  }
  return first;
}

std::vector<Candidate> judge_all(const Evidence& evidence) {
  std::vector<Candidate> candidates;
  for (const WorkerEnd& end : evidence.ends) {
    if (auto candidate = judge(end, evidence.cancel)) candidates.push_back(*std::move(candidate));
  }
  const std::optional<WallTime> stop = first_stop(evidence);
  for (const PeerLoss& loss : evidence.losses) candidates.push_back(judge(loss, stop));
  return candidates;
}

std::uint32_t place_of(const Candidate& candidate) {
  return candidate.end != nullptr ? value_of(candidate.end->place.rank)
                                  : value_of(candidate.loss->node);
}

// The best tier; in it all that may have been first by the clocks; of these the strongest evidence.
const Candidate& choose(const std::vector<Candidate>& candidates) {
  const Tier tier = std::ranges::min_element(candidates, {}, &Candidate::tier)->tier;
  std::vector<const Candidate*> rivals;
  for (const Candidate& candidate : candidates) {
    if (candidate.tier == tier) rivals.push_back(&candidate);
  }
  const auto latest = [](const Candidate* candidate) { return candidate->span.latest; };
  const WallTime bound = latest(*std::ranges::min_element(rivals, {}, latest));
  std::erase_if(rivals, [bound](const Candidate* rival) { return rival->span.earliest > bound; });
  return **std::ranges::min_element(rivals, {}, [](const Candidate* rival) {
    return std::tuple(rival->strength, rival->span.latest, place_of(*rival));
  });
}

// Rule 1. What ended after the stop says nothing of when the failure began.
bool cancel_came_first(const Cancel& cancel, const std::vector<Candidate>& candidates) {
  const WallTime noticed = on_coordinator(cancel.when, cancel.clock) - cancel.clock.uncertainty;
  return std::ranges::none_of(candidates, [noticed](const Candidate& candidate) {
    if (candidate.tier != Tier::kCause && candidate.tier != Tier::kComplaint) return false;
    const WallTime known =
        candidate.loss != nullptr ? candidate.loss->decided : candidate.span.latest;
    return known + kCancelWindow < noticed;
  });
}

bool all_ended_well_before(const Cancel& cancel, const Evidence& evidence) {
  const WallTime noticed = on_coordinator(cancel.when, cancel.clock);
  return !evidence.ends.empty() && evidence.losses.empty() &&
         std::ranges::all_of(evidence.ends, [noticed](const WorkerEnd& end) {
           return !end.start_failure && end.status.success() && !end.stop_sent &&
                  on_coordinator(end.when, end.clock) < noticed;
         });
}

// All workers that failed or were stopped, the cause itself among them.
std::size_t count_fallen(const Evidence& evidence) {
  std::size_t fallen = 0;
  for (const WorkerEnd& end : evidence.ends) {
    if (end.start_failure || !end.status.success() || end.stop_sent) ++fallen;
  }
  for (const PeerLoss& loss : evidence.losses) fallen += loss.workers;
  return fallen;
}

std::string describe(const WorkerEnd& end, const std::string& words) {
  std::string text;
  if (const auto signal = end.status.signal()) {
    text = "killed by " + signal_name(*signal);
    if (end.status.dumped_core()) text += " (core dumped)";
    if (*signal == SIGKILL && !end.stop_sent) {
      text += ", which muster did not send (out of memory?)";
    }
  } else {
    text = fmt::format("exit code {}", end.status.exit_code());
  }
  const std::string line = printable_line(words, kWordsBytes);
  return line.empty() ? text : text + ": " + line;
}

FirstCause cause_of_worker(const Candidate& chosen) {
  const WorkerEnd& end = *chosen.end;
  FirstCause cause;
  cause.place = end.place;
  cause.stderr_tail = end.stderr_tail;
  cause.call_stack = chosen.call_stack;
  if (end.start_failure) {
    cause.kind = CauseKind::kStartFailure;
    cause.text = printable_line(end.start_failure->text, kWordsBytes);
    cause.exit_code = end.start_failure->exit_code;
    return cause;
  }
  cause.text = describe(end, chosen.words);
  cause.exit_code = end.status.exit_code();
  cause.complaint = chosen.tier == Tier::kComplaint;
  return cause;
}

FirstCause cause_of_loss(const PeerLoss& loss) {
  FirstCause cause;
  cause.kind = loss.whole_node ? CauseKind::kNodeLost : CauseKind::kAgentLost;
  cause.place.node = loss.node;
  cause.place.host = loss.host;
  cause.text = printable_line(loss.detail, kWordsBytes);
  cause.exit_code = to_int(ExitCode::kLost);
  return cause;
}

FirstCause cause_of_cancel(const Cancel& cancel) {
  FirstCause cause;
  cause.kind = CauseKind::kCancel;
  cause.place.host = cancel.host;
  cause.text = signal_name(cancel.signal_number);
  cause.exit_code = options::exit_code_of_signal(cancel.signal_number);
  return cause;
}

}  // namespace

std::optional<FirstCause> decide_first_cause(const Evidence& evidence) {
  const std::size_t fallen = count_fallen(evidence);
  const std::vector<Candidate> candidates = judge_all(evidence);
  if (evidence.cancel && !all_ended_well_before(*evidence.cancel, evidence) &&
      cancel_came_first(*evidence.cancel, candidates)) {
    FirstCause cause = cause_of_cancel(*evidence.cancel);
    cause.victims = fallen;
    return cause;
  }
  if (candidates.empty()) return std::nullopt;
  const Candidate& chosen = choose(candidates);
  FirstCause cause = chosen.end != nullptr ? cause_of_worker(chosen) : cause_of_loss(*chosen.loss);
  cause.victims = chosen.end != nullptr ? fallen - 1 : fallen;
  return cause;
}

FirstCause missing_nodes(const std::vector<std::string>& hosts, std::size_t expected,
                         std::chrono::milliseconds deadline) {
  constexpr std::size_t kNamed = 16;
  std::string names;
  for (std::size_t i = 0; i < std::min(hosts.size(), kNamed); ++i) {
    names += (i == 0 ? "" : ", ") + hosts[i];
  }
  names = printable_line(names, kWordsBytes);
  if (hosts.size() > kNamed) names += fmt::format(" and {} more", hosts.size() - kNamed);
  FirstCause cause;
  cause.kind = CauseKind::kMissingNodes;
  cause.text = fmt::format("{} of {} nodes did not come within {} s: {}", hosts.size(), expected,
                           static_cast<double>(deadline.count()) / 1000, names);
  cause.exit_code = to_int(ExitCode::kMissingNodes);
  return cause;
}

}  // namespace muster::verdict
