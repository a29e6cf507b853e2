// NoteLimiter: which remarks reach the log. A port scanner must not flood it. Pure.
//
// Remarks are folded by their subject, the text before the first ": ", which holds the address
// ("closing the connection of 10.0.0.9: no message has kind 71"); a port behind it is left out. Of
// each subject the first two different lines are said; then only the 10th, the 100th and so on,
// with the count. Of the subjects the first twelve are told apart, all others share one. After ten
// minutes all begins anew.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/time.h"

namespace muster::rendezvous {

class NoteLimiter {
 public:
  static constexpr std::size_t kSaidOfSubject = 2;
  static constexpr std::size_t kMaxSubjects = 12;
  static constexpr Duration kForgetAfter = std::chrono::minutes(10);

  // The lines to print now: none, or one.
  std::vector<std::string> admit(std::string_view line, TimePoint now);

 private:
  struct Subject {
    std::uint64_t count = 0;
    std::uint64_t next_count = 10;  // at which the next line is said
    std::vector<std::string> said;  // at most kSaidOfSubject
  };

  Subject& subject_of(std::string_view line);

  std::map<std::string, Subject, std::less<>> subjects_;
  Subject others_;
  TimePoint begun_{};
};

}  // namespace muster::rendezvous
