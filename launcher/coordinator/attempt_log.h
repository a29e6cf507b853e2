// AttemptLog: what became of one attempt so far, the check before it included. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "launcher/coordinator/check_state.h"
#include "launcher/verdict/first_cause.h"

namespace muster::launcher {

class AttemptLog {
 public:
  bool workers_started = false;
  bool is_cause_told = false;  // of the stop: a broken store, an agent that starts nothing
  std::map<std::uint32_t, LeftOut> fallen;  // by place: nodes that the next attempt cannot have

  const verdict::Evidence& evidence() const { return evidence_; }
  bool is_cancelled() const { return evidence_.cancel.has_value(); }
  bool has_ended(Rank rank) const { return place_of_end_.count(value_of(rank)) != 0; }

  // An agent tells an end at once, and again with the worker's last words; the later word counts.
  void note_end(const verdict::WorkerEnd& end);
  void note_loss(const verdict::PeerLoss& loss) { evidence_.losses.push_back(loss); }
  void note_cancel(const verdict::Cancel& cancel) { evidence_.cancel = cancel; }
  // Workers on the node at `place` got SIGKILL since they outlived the grace.
  void note_killed(std::size_t place, std::uint32_t workers);

  // "SIGKILL to 3 workers that outlived the grace, on node[2-3]"; `hosts` by place.
  std::optional<std::string> killed_text(const std::vector<std::string>& hosts) const;

 private:
  verdict::Evidence evidence_;
  std::unordered_map<std::uint32_t, std::size_t> place_of_end_;  // rank -> place in evidence_.ends
  std::uint32_t killed_ = 0;
  std::set<std::size_t> killed_places_;
};

}  // namespace muster::launcher
