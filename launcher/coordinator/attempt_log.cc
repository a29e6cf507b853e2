#include "launcher/coordinator/attempt_log.h"

#include "rendezvous/text.h"

namespace muster::launcher {

void AttemptLog::note_end(const verdict::WorkerEnd& end) {
  const auto [known, is_new] =
      place_of_end_.try_emplace(value_of(end.place.rank), evidence_.ends.size());
  if (is_new) {
    evidence_.ends.push_back(end);
  } else {
    evidence_.ends[known->second] = end;
  }
}

void AttemptLog::note_killed(std::size_t place, std::uint32_t workers) {
  if (workers == 0) return;
  killed_ += workers;
  killed_places_.insert(place);
}

std::optional<std::string> AttemptLog::killed_text(const std::vector<std::string>& hosts) const {
  if (killed_ == 0) return std::nullopt;
  std::vector<std::string> named;
  for (const std::size_t place : killed_places_) named.push_back(hosts[place]);
  return "SIGKILL to " + std::to_string(killed_) + (killed_ == 1 ? " worker" : " workers") +
         " that outlived the grace, on " + rendezvous::fold_hosts(named);
}

}  // namespace muster::launcher
