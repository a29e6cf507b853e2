#include "launcher/verdict/judge.h"

#include <algorithm>
#include <csignal>
#include <string_view>
#include <utility>

#include "launcher/verdict/error_file.h"
#include "launcher/verdict/printable.h"
#include "launcher/verdict/traceback.h"
#include "launcher/verdict/words.h"

namespace muster::verdict {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kJudgedLines = 10;    // of a worker that left no words of its own
constexpr std::size_t kJudgedBytes = 2048;  // searched per worker; there may be thousands
// A worker that dies of the cancel's own signal this long before an agent notices it died of it:
// Slurm signals all processes of a step at once, and clocks of nodes differ.
constexpr std::chrono::nanoseconds kCancelReach = 2s;
constexpr std::chrono::nanoseconds kHeartbeatSlack =
    1s;  // a lost peer lived on after its last word

struct LastWords {
  Strength strength = Strength::kSilent;
  std::string line;
  std::string judged;  // what is searched for complaints and answers to a stop
  std::string call_stack;
  std::optional<std::int64_t> seconds;
};

// At most kJudgedBytes.
std::string join_from(const std::vector<std::string>& lines, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < lines.size() && text.size() < kJudgedBytes; ++i) {
    text.append(lines[i], 0, kJudgedBytes - text.size()).append("\n");
  }
  return text;
}

std::optional<LastWords> words_of_error_file(const std::string& bytes) {
  if (bytes.empty()) return std::nullopt;
  Result<ErrorFile> file = parse_error_file(bytes);
  if (!file) return std::nullopt;  // a broken file says nothing; the other evidence stands
  LastWords words{Strength::kErrorFile, file->message, file->message, file->call_stack,
                  file->seconds};
  if (words.line.empty()) {
    const std::vector<std::string> lines = split_lines(file->call_stack);
    const auto traceback = find_last_traceback(lines);
    words.line = traceback ? traceback->final_line : "";
    words.judged = traceback ? join_from(lines, traceback->last) : "";
  }
  return words;
}

// "  what():  text" of a C++ program that ended by an exception.
std::optional<LastWords> words_of_terminate(const std::vector<std::string>& tail) {
  constexpr std::string_view kMark = "  what():  ";
  for (std::size_t i = tail.size(); i-- > 0;) {
    const std::string_view line = without_rank_mark(tail[i]);
    if (!line.starts_with(kMark)) continue;
    return LastWords{Strength::kTraceback, std::string(line.substr(kMark.size())),
                     join_from(tail, i), "", std::nullopt};
  }
  return std::nullopt;
}

LastWords last_words(const WorkerEnd& end) {
  if (auto words = words_of_error_file(end.error_file)) return *std::move(words);
  const std::vector<std::string>& tail = end.stderr_tail;
  if (const auto traceback = find_last_traceback(tail)) {
    return {Strength::kTraceback, traceback->final_line, join_from(tail, traceback->last), "",
            std::nullopt};
  }
  if (auto words = words_of_terminate(tail)) return *std::move(words);
  const std::size_t first = tail.size() > kJudgedLines ? tail.size() - kJudgedLines : 0;
  return {end.status.signal() ? Strength::kSignal : Strength::kSilent, "", join_from(tail, first),
          "", std::nullopt};
}

bool died_of(const process::ExitStatus& status, int signal_number) {
  return status.exit_code() == 128 + signal_number;  // a shell's or a handler's code counts too
}

// Rule 1: what the cancel itself killed.
bool died_of_cancel(const WorkerEnd& end, const LastWords& words,
                    const std::optional<Cancel>& cancel) {
  if (!cancel) return false;
  const WallTime noticed = on_coordinator(cancel->when, cancel->clock);
  if (on_coordinator(end.when, end.clock) < noticed - kCancelReach) return false;
  return died_of(end.status, cancel->signal_number) || answers_stop(words.judged);
}

Tier tier_after_stop(const WorkerEnd& end, const LastWords& words) {
  for (const int stop : {SIGTERM, SIGKILL, SIGINT, SIGQUIT}) {
    if (died_of(end.status, stop)) return Tier::kStopped;
  }
  if (answers_stop(words.judged)) return Tier::kStopped;
  if (complains_about_peer(words.judged)) return Tier::kAfterStop;
  // torch's seconds are cut off: only the next full second is surely past the error.
  if (words.seconds && WallTime(std::chrono::seconds(*words.seconds) + 1s) <= *end.stop_sent) {
    return Tier::kCause;
  }
  return words.strength == Strength::kSilent ? Tier::kAfterStop : Tier::kWordsAfterStop;
}

Tier tier_of(const WorkerEnd& end, const LastWords& words, const std::optional<Cancel>& cancel) {
  if (died_of_cancel(end, words, cancel)) return Tier::kStopped;
  if (end.stop_sent && *end.stop_sent <= end.when) return tier_after_stop(end, words);
  return complains_about_peer(words.judged) ? Tier::kComplaint : Tier::kCause;
}

Span span_of(const WorkerEnd& end, const LastWords& words) {
  WallTime earliest = end.when;
  WallTime latest = end.when;
  if (words.seconds) {
    earliest = std::min(end.when, WallTime(std::chrono::seconds(*words.seconds)));
    latest = std::min(end.when, earliest + 1s);
  }
  return {on_coordinator(earliest, end.clock) - end.clock.uncertainty,
          on_coordinator(latest, end.clock) + end.clock.uncertainty};
}

}  // namespace

WallTime on_coordinator(WallTime time, const ClockOffset& clock) {
  return time + clock.to_coordinator;
}

std::optional<Candidate> judge(const WorkerEnd& end, const std::optional<Cancel>& cancel) {
  Candidate candidate;
  candidate.end = &end;
  if (end.start_failure) {
    candidate.strength = Strength::kErrorFile;
    candidate.span = span_of(end, {});
    return candidate;
  }
  if (end.status.success()) return std::nullopt;
  LastWords words = last_words(end);
  candidate.tier = tier_of(end, words, cancel);
  candidate.strength = words.strength;
  candidate.span = span_of(end, words);
  candidate.words = std::move(words.line);
  candidate.call_stack = std::move(words.call_stack);
  return candidate;
}

Candidate judge(const PeerLoss& loss, std::optional<WallTime> first_stop) {
  Candidate candidate;
  candidate.loss = &loss;
  candidate.strength = Strength::kLoss;
  candidate.tier = first_stop && *first_stop < loss.last_heard ? Tier::kAfterStop : Tier::kCause;
  candidate.span = {
      loss.last_heard,
      std::max(loss.last_heard, std::min(loss.decided, loss.last_heard + kHeartbeatSlack))};
  return candidate;
}

}  // namespace muster::verdict
