#include "rendezvous/heartbeat.h"

namespace muster::rendezvous {

Pulse::Beat Pulse::advance(TimePoint now) {
  Beat beat;
  if (now < next_) return beat;
  beat.due = true;
  if (now - next_ > kGap) beat.gap = std::chrono::duration_cast<Duration>(now - next_);
  next_ = now + kBeat;
  return beat;
}

bool Link::note_heard(TimePoint now) {
  heard_ = now;
  const bool was_suspect = suspect_;
  suspect_ = false;
  return was_suspect;
}

std::optional<Duration> Link::check(TimePoint now, Duration suspect_after, Duration repeat) {
  if (now - heard_ < suspect_after) return std::nullopt;
  if (suspect_ && now - told_ < repeat) return std::nullopt;
  suspect_ = true;
  told_ = now;
  return silence(now);
}

Duration Link::silence(TimePoint now) const {
  return std::chrono::duration_cast<Duration>(now - heard_);
}

void Link::forgive(TimePoint now) {
  heard_ = now;
}

}  // namespace muster::rendezvous
