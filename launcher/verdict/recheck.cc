#include "launcher/verdict/recheck.h"

#include <string>
#include <vector>

#include "launcher/verdict/words.h"

namespace muster::verdict {

namespace {

constexpr std::size_t kJudgedLines = 10;

// PyTorch prints the line that tells most behind the one that counts as the cause.
std::string words_of(const FirstCause& cause) {
  std::string words = cause.text;
  const std::vector<std::string>& tail = cause.stderr_tail;
  const std::size_t first = tail.size() > kJudgedLines ? tail.size() - kJudgedLines : 0;
  for (std::size_t line = first; line < tail.size(); ++line) words += "\n" + tail[line];
  return words;
}

}  // namespace

Suspect suspect_of(const FirstCause& cause) {
  const std::string words = words_of(cause);
  if (cause.kind != CauseKind::kWorker || is_programs_own_error(words)) return Suspect::kNothing;
  if (complains_about_gpu(words)) return Suspect::kGpu;
  if (complains_about_network(words)) return Suspect::kNetwork;
  return cause.complaint ? Suspect::kPeer : Suspect::kNothing;
}

std::string_view to_string(Suspect suspect) {
  switch (suspect) {
    case Suspect::kNothing:
      return "";
    case Suspect::kGpu:
      return "a GPU";
    case Suspect::kNetwork:
      return "the network";
    case Suspect::kPeer:
      return "a peer, and none shows a cause";
  }
  return "";
}

}  // namespace muster::verdict
