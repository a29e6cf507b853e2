// NoteLimiter: which remarks reach the log. A port scanner must not flood it. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/time.h"

namespace muster::rendezvous {

class NoteLimiter {
 public:
  static constexpr std::size_t kBurst = 20;                          // lines at once, ...
  static constexpr Duration kRefill = std::chrono::seconds(1);       // ... then one per
  static constexpr Duration kForgetAfter = std::chrono::minutes(1);  // the same line again

  // The lines to print now: none, `line`, or a count of what was left out and `line`.
  std::vector<std::string> admit(std::string_view line, TimePoint now);

 private:
  std::set<std::string, std::less<>> seen_;
  TimePoint seen_since_{};
  TimePoint last_refill_{};
  std::size_t tokens_ = kBurst;
  std::size_t left_out_ = 0;
};

}  // namespace muster::rendezvous
