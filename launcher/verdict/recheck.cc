#include "launcher/verdict/recheck.h"

#include "launcher/verdict/words.h"

namespace muster::verdict {

Suspect suspect_of(const FirstCause& cause) {
  if (cause.kind != CauseKind::kWorker || is_programs_own_error(cause.text)) {
    return Suspect::kNothing;
  }
  if (complains_about_gpu(cause.text)) return Suspect::kGpu;
  if (complains_about_network(cause.text)) return Suspect::kNetwork;
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
