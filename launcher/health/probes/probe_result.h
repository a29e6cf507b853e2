// ProbeResult: the answer of one probe about one node. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace muster::health {

// SKIP: could not be asked or does not apply here; never a failure.
enum class Answer { kPass, kWarn, kFail, kSkip };

std::string_view to_string(Answer answer);  // "PASS", "WARN", "FAIL", "SKIP"; static

struct ProbeResult {
  std::string probe;
  Answer answer = Answer::kSkip;
  std::string value;                  // "8 of 8"
  std::string reason;                 // one line; "" when it passed
  std::vector<std::string> subjects;  // what is accused: "GPU 3", "rdmap79s0"; of WARN and FAIL

  bool operator==(const ProbeResult&) const = default;
};

// FAIL before WARN before PASS; a node of nothing but SKIP is SKIP.
Answer worst_of(const std::vector<ProbeResult>& results);

// A table for people: one row a probe, those that did not pass first. With `only_findings` what
// passed or was skipped is only counted. Ends in a newline.
std::string print_probes(const std::string& node, const std::vector<ProbeResult>& results,
                         bool only_findings = false);

}  // namespace muster::health
