#include "rendezvous/sidecar_pool.h"

#include <unistd.h>

#include <algorithm>

namespace muster::rendezvous {

void SidecarPool::call(SidecarCall call, Sidecar::OnAnswer done) {
  const auto shortest =
      std::min_element(sidecars_.begin(), sidecars_.end(),
                       [](const auto& a, const auto& b) { return a->waiting() < b->waiting(); });
  if (shortest != sidecars_.end() && ((*shortest)->waiting() == 0 || sidecars_.size() >= most_))
    return (*shortest)->call(std::move(call), std::move(done));
  sidecars_.push_back(std::make_unique<Sidecar>(loop_));
  sidecars_.back()->call(std::move(call), std::move(done));
}

void SidecarPool::stop() {
  // They stay: one of them may be giving the answer that made the caller stop.
  for (const auto& sidecar : sidecars_) sidecar->stop();
}

std::size_t SidecarPool::fitting_size() {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return std::clamp<std::size_t>(cores > 0 ? static_cast<std::size_t>(cores) : 1, 1, kMost);
}

}  // namespace muster::rendezvous
