#include "rendezvous/succession.h"

namespace muster::rendezvous {

Succession::Succession(std::optional<std::uint32_t> place, TimePoint now)
    : place_(place), since_(now) {}

void Succession::note_lost(std::uint32_t epoch, TimePoint now) {
  if (lost_ && *lost_ > epoch) return;
  lost_ = epoch;
  since_ = now;
}

void Succession::note_broken_off(TimePoint now) {
  if (lost_) return;
  lost_ = 0;
  since_ = now;
}

void Succession::note_gave_back(TimePoint now) {
  gave_back_ = true;
  since_ = now;
}

void Succession::forgive(Duration gap) {
  since_ += gap;
}

TimePoint Succession::due(std::uint32_t closed_before) const {
  if (!place_ || *place_ >= kMaxSuccessors) return TimePoint::max();
  if (!lost_) {
    const std::uint32_t others = *place_ - closed_before + (gave_back_ ? 1 : 0);
    return since_ + closed_before * kClosedPatience + others * kFirstPatience;
  }
  if (*place_ <= *lost_) return TimePoint::max();  // the role moves forward only
  const std::uint32_t before_us = *place_ - *lost_ - 1 + (gave_back_ ? 1 : 0);
  return since_ + kTakeoverGrace + before_us * kTakeoverStep;
}

}  // namespace muster::rendezvous
