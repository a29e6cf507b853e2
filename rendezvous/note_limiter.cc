#include "rendezvous/note_limiter.h"

#include <algorithm>

namespace muster::rendezvous {

std::vector<std::string> NoteLimiter::admit(std::string_view line, TimePoint now) {
  if (now - seen_since_ >= kForgetAfter) {
    seen_.clear();
    seen_since_ = now;
  }
  const auto refills = static_cast<std::size_t>(std::max<std::int64_t>(
      0, std::chrono::duration_cast<Duration>(now - last_refill_) / kRefill));
  if (refills > 0) {
    tokens_ = std::min(kBurst, tokens_ + std::min(refills, kBurst));
    last_refill_ = now;
  }
  if (seen_.find(line) != seen_.end()) return {};
  if (tokens_ == 0) {
    ++left_out_;
    return {};
  }
  --tokens_;
  seen_.emplace(line);  // bounded: each one costs a token
  std::vector<std::string> lines;
  if (left_out_ > 0) lines.push_back(std::to_string(left_out_) + " remarks left out");
  left_out_ = 0;
  lines.emplace_back(line);
  return lines;
}

}  // namespace muster::rendezvous
