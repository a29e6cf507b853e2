#include "rendezvous/sidecar_pool.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace muster::rendezvous {

SidecarPool::SidecarPool(asio::io_context& loop, std::size_t most, SidecarOptions options)
    : loop_(loop),
      most_(most),
      options_(std::move(options)),
      on_stuck_(std::exchange(options_.on_stuck, [this](const Error& e) { tell_stuck(e); })) {}

void SidecarPool::tell_stuck(const Error& error) {
  if (!on_stuck_) return;
  asio::post(loop_,
             [error, say = std::exchange(on_stuck_, nullptr), alive = std::weak_ptr<char>(alive_)] {
               if (!alive.expired()) say(error);
             });
}

void SidecarPool::call(SidecarCall call, Sidecar::OnAnswer done) {
  const auto shortest =
      std::min_element(sidecars_.begin(), sidecars_.end(),
                       [](const auto& a, const auto& b) { return a->waiting() < b->waiting(); });
  if (shortest != sidecars_.end() && ((*shortest)->waiting() == 0 || sidecars_.size() >= most_))
    return (*shortest)->call(std::move(call), std::move(done));
  sidecars_.push_back(std::make_unique<Sidecar>(loop_, options_));
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
