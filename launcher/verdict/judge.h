// Judges one event of the evidence: may it be the first cause, since when, how sure. Pure.
// Used by first_cause.cc alone.
#pragma once

#include <optional>
#include <string>

#include "launcher/verdict/first_cause.h"

namespace muster::verdict {

// Smaller is the better candidate; see the rules in first_cause.h.
enum class Tier { kCause, kWordsAfterStop, kComplaint, kAfterStop, kStopped };

// Decides where clocks cannot; smaller is stronger.
enum class Strength { kErrorFile, kTraceback, kSignal, kSilent, kLoss };

// When it happened, by the coordinator's clock.
struct Span {
  WallTime earliest{};
  WallTime latest{};
};

struct Candidate {
  Tier tier = Tier::kCause;
  Strength strength = Strength::kSilent;
  Span span;
  const WorkerEnd* end = nullptr;  // one of the two is set
  const PeerLoss* loss = nullptr;
  std::string words;       // the worker's own last words, one line, or empty
  std::string call_stack;  // from its error file, or empty
};

inline constexpr std::chrono::nanoseconds kCancelWindow = std::chrono::milliseconds(500);

WallTime on_coordinator(WallTime time, const ClockOffset& clock);

// Nothing when the worker ended well.
std::optional<Candidate> judge(const WorkerEnd& end, const std::optional<Cancel>& cancel);

// `first_stop`: when the first worker was signalled, by the coordinator's clock.
Candidate judge(const PeerLoss& loss, std::optional<WallTime> first_stop);

}  // namespace muster::verdict
