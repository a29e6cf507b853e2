#include "launcher/health/probes/probe_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace muster::health {

namespace {

constexpr std::array kByWeight = {Answer::kFail, Answer::kWarn, Answer::kPass, Answer::kSkip};

std::size_t count(const std::vector<ProbeResult>& results, Answer answer) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(),
                    [answer](const ProbeResult& result) { return result.answer == answer; }));
}

}  // namespace

std::string_view to_string(Answer answer) {
  switch (answer) {
    case Answer::kPass:
      return "PASS";
    case Answer::kWarn:
      return "WARN";
    case Answer::kFail:
      return "FAIL";
    case Answer::kSkip:
      break;
  }
  return "SKIP";
}

Answer worst_of(const std::vector<ProbeResult>& results) {
  for (const Answer answer : kByWeight) {
    if (count(results, answer) > 0) return answer;
  }
  return Answer::kSkip;
}

std::string print_probes(const std::string& node, const std::vector<ProbeResult>& results,
                         bool only_findings) {
  std::string out = fmt::format("{}: {}", node, to_string(worst_of(results)));
  for (const Answer answer : kByWeight) {
    if (const std::size_t times = count(results, answer); times > 0) {
      out += fmt::format("  {} {}", times, to_string(answer));
    }
  }
  out += '\n';
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const ProbeResult& result : results) {
    name_width = std::max(name_width, result.probe.size());
    value_width = std::max(value_width, result.value.size());
  }
  for (const Answer answer : kByWeight) {
    if (only_findings && answer == Answer::kPass) break;
    for (const ProbeResult& result : results) {
      if (result.answer != answer) continue;
      std::string line = fmt::format("  {}  {:<{}}  {:<{}}  {}", to_string(answer), result.probe,
                                     name_width, result.value, value_width, result.reason);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + '\n';
    }
  }
  return out;
}

}  // namespace muster::health
