#include "launcher/coordinator/health_board.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "rendezvous/text.h"

namespace muster::launcher {

namespace {

using health::Answer;
using health::ProbeResult;

// A look that gave nothing is told by the name of this probe.
ProbeResult failed_look(const std::string& problem) {
  return {"look", Answer::kWarn, "", problem, {}};
}

// Somebody should know that a node could not be seen, or that its clock makes nonsense of its logs.
bool is_of_any_machine(const ProbeResult& result) {
  return result.probe == "look" || result.probe == "host" || result.probe == "clock_offset";
}

std::int64_t in_microseconds(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

bool has_efa(const health::HealthFacts& facts) {
  const auto& nics = facts.host.nics.value;
  return nics && std::any_of(nics->begin(), nics->end(),
                             [](const health::NicFacts& nic) { return nic.is_efa(); });
}

std::vector<std::pair<std::string, std::string>> split(const std::vector<std::string>& settings) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) continue;
    variables.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return variables;
}

std::string describe(const ProbeResult& result) {
  return fmt::format("{} {}{}{}: {}", to_string(result.answer), result.probe,
                     result.value.empty() ? "" : " ", result.value, result.reason);
}

}  // namespace

HealthBoard::HealthBoard(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) nodes_.emplace_back().host = host;
}

void HealthBoard::begin_anew() {
  looks_ = 0;
  for (NodeHealth& node : nodes_) {
    node.before.reset();
    node.after.reset();
    node.nccl.reset();
    node.clock = {};
    node.results.clear();
  }
}

void HealthBoard::begin_look(TimePoint now) {
  ++looks_;
  asked_ = now;
  for (NodeHealth& node : nodes_) {
    node.is_awaited = true;
    node.problem.clear();
  }
}

void HealthBoard::note(std::size_t place, const NodeLooked& message, TimePoint now) {
  if (place >= nodes_.size() || !nodes_[place].is_awaited) return;
  NodeHealth& node = nodes_[place];
  node.is_awaited = false;
  node.settings = message.settings;
  node.problem = message.problem;
  node.clock = health::read_clock(
      {in_microseconds(asked_), message.heard_us, message.answered_us, in_microseconds(now)});
  if (message.facts.empty()) return;
  Result<health::HealthFacts> facts = health::parse_health_facts(message.facts);
  if (facts && !facts->host.instance_id.empty()) node.instance_id = facts->host.instance_id;
  if (!facts) {
    node.problem = facts.error().message();
  } else if (looks_ == 1) {
    node.before = std::move(*facts);
  } else {
    node.after = std::move(*facts);
  }
}

void HealthBoard::set_clock_offsets() {
  std::vector<health::Fact<health::ClockReading>> readings;
  for (const NodeHealth& node : nodes_) readings.push_back(node.clock);
  const auto offsets = health::offsets_from_median(readings);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto& look = nodes_[i].after ? nodes_[i].after : nodes_[i].before;
    if (!look) continue;
    look->clock_offset_us = health::Fact<std::int64_t>::none(offsets[i].absent);
    if (!offsets[i].value) continue;
    look->clock_offset_us = offsets[i].value->us;
    look->clock_uncertainty_us = static_cast<std::uint64_t>(offsets[i].value->uncertainty_us);
  }
}

void HealthBoard::note_nccl(std::size_t place, const health::NcclFacts& facts) {
  if (place >= nodes_.size()) return;
  std::optional<health::NcclFacts>& known = nodes_[place].nccl;
  if (known) {
    merge_nccl_facts(*known, facts);
  } else {
    known = facts;
  }
}

void HealthBoard::set_nccl_facts() {
  for (NodeHealth& node : nodes_) {
    auto& look = node.after ? node.after : node.before;
    if (look && node.nccl) look->nccl = *node.nccl;
  }
}

bool HealthBoard::is_complete() const {
  return std::none_of(nodes_.begin(), nodes_.end(),
                      [](const NodeHealth& node) { return node.is_awaited; });
}

void HealthBoard::end_look(const std::string& why) {
  for (NodeHealth& node : nodes_) {
    if (std::exchange(node.is_awaited, false)) node.problem = why;
  }
}

void HealthBoard::forget(std::size_t node) {
  nodes_[node].is_awaited = false;
}

std::vector<std::size_t> HealthBoard::unfit_nodes() const {
  const std::vector<std::string> odd = odd_hosts(disagreements_);
  std::vector<std::size_t> unfit;
  for (std::size_t place = 0; place < nodes_.size(); ++place) {
    const NodeHealth& node = nodes_[place];
    const bool failed =
        std::any_of(node.results.begin(), node.results.end(),
                    [](const ProbeResult& result) { return result.answer == Answer::kFail; });
    if (failed || std::find(odd.begin(), odd.end(), node.host) != odd.end()) {
      unfit.push_back(place);
    }
  }
  return unfit;
}

bool HealthBoard::has_devices() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const NodeHealth& node) {
    return node.nccl || (node.before && (node.before->has_driver || has_efa(*node.before)));
  });
}

std::vector<std::string> HealthBoard::judge(const health::Expectations& profile) {
  health::Expectations expected = profile;
  expected.needs_network = nodes_.size() > 1;
  set_clock_offsets();
  set_nccl_facts();
  for (NodeHealth& node : nodes_) {
    node.results.clear();
    if (!node.problem.empty()) node.results.push_back(failed_look(node.problem));
    const health::HealthFacts* const before = node.before  ? &*node.before
                                              : node.after ? &*node.after
                                                           : nullptr;
    if (before == nullptr) continue;
    const health::HealthFacts& after = node.after ? *node.after : *before;
    for (ProbeResult& result : judge_health(*before, after, expected)) {
      node.results.push_back(std::move(result));
    }
  }
  compare();
  std::vector<std::string> lines = finding_lines(Answer::kFail, false);
  is_unfit_ = !lines.empty() || !odd_hosts(disagreements_).empty();
  for (std::string& line : disagreement_lines()) lines.push_back(std::move(line));
  // Where nobody trains, small limits are no news; the summary counts them.
  const bool is_plain = !has_devices() && profile == health::Expectations{};
  for (std::string& line : finding_lines(Answer::kWarn, is_plain)) {
    lines.push_back(std::move(line));
  }
  if (looks_ <= 1 && !is_unfit_) lines.push_back(summary());
  std::erase_if(lines, [this](const std::string& line) { return !told_.insert(line).second; });
  return lines;
}

void HealthBoard::compare() {
  std::vector<health::NodeFacts> facts;
  // A node whose processes died in the check did not tell: no difference either.
  const bool all_told = std::all_of(nodes_.begin(), nodes_.end(),
                                    [](const NodeHealth& node) { return node.nccl.has_value(); });
  for (const NodeHealth& node : nodes_) {
    const auto& look = node.after ? node.after : node.before;
    // What could not be asked is no difference.
    if (!look || !look->host_problem.empty()) continue;
    facts.push_back(comparable_facts(node.host, *look));
    add_settings(split(node.settings), facts.back());
    facts.back().clock = node.clock;
    if (!all_told) forget_nccl(facts.back());
  }
  disagreements_ = compare_nodes(facts);
}

std::vector<std::string> HealthBoard::disagreement_lines() const {
  std::vector<std::string> lines;
  for (const health::Disagreement& one : disagreements_) {
    // The probe clock_offset tells of each node that a majority differs from.
    if (one.fact == health::kClockFact && one.has_majority) continue;
    if (lines.size() == health::kMaxDisagreements) {
      lines.push_back(
          fmt::format("health: and {} more facts differ", disagreements_.size() - lines.size()));
      break;
    }
    std::string text = health::print_disagreements({one});
    text.pop_back();  // the newline
    const bool is_fault = one.answer == Answer::kFail && one.has_majority;
    lines.push_back("health: " + text + (is_fault ? " (FAIL: nodes must agree in it)" : ""));
  }
  return lines;
}

// The same finding of several nodes is one line, in the order of the first of them.
std::vector<std::string> HealthBoard::finding_lines(Answer answer, bool only_general) const {
  std::vector<std::string> texts;
  std::map<std::string, std::vector<std::string>> hosts;
  for (const NodeHealth& node : nodes_) {
    for (const ProbeResult& result : node.results) {
      if (result.answer != answer || (only_general && !is_of_any_machine(result))) continue;
      std::string text = describe(result);
      auto& places = hosts[text];
      if (places.empty()) texts.push_back(std::move(text));
      places.push_back(node.host);
    }
  }
  std::vector<std::string> lines;
  for (const std::string& text : texts) {
    if (lines.size() == kMaxHealthLines) {
      lines.push_back(
          fmt::format("health: and {} more such findings", texts.size() - lines.size()));
      break;
    }
    lines.push_back("health: " + rendezvous::fold_hosts(hosts[text]) + ": " + text);
  }
  return lines;
}

std::string HealthBoard::summary() const {
  std::map<Answer, std::size_t> counts;
  std::set<std::string> warned;
  for (const NodeHealth& node : nodes_) {
    for (const ProbeResult& result : node.results) {
      ++counts[result.answer];
      if (result.answer == Answer::kWarn) warned.insert(result.probe);
    }
  }
  std::string text = fmt::format("health: {} node{}, {} probes passed", nodes_.size(),
                                 nodes_.size() == 1 ? "" : "s", counts[Answer::kPass]);
  if (!warned.empty()) {
    text += fmt::format(", {} warned ({})", counts[Answer::kWarn], fmt::join(warned, ", "));
  }
  return text + fmt::format(", {} skipped", counts[Answer::kSkip]);
}

std::string HealthBoard::tables() const {
  std::string text;
  for (const NodeHealth& node : nodes_) {
    text += print_probes(node.host, node.results, nodes_.size() > kMaxTables);
  }
  return text;
}

}  // namespace muster::launcher
