#include "collectives-bench/localise/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "collectives-bench/localise/findings.h"
#include "collectives-bench/localise/verdict_text.h"

namespace muster::bench::localise {

namespace {

bool names(const std::vector<UnfitNode>& unfit, std::uint32_t node) {
  return std::any_of(unfit.begin(), unfit.end(),
                     [node](const UnfitNode& one) { return value_of(one.node) == node; });
}

bool two_nodes(const Findings& findings) {
  return findings.active.size() == 2;
}

// Of two nodes only silence tells: one that reported nothing, each time, beside one that did.
std::optional<UnfitNode> silent_of_two(const Findings& findings) {
  if (!two_nodes(findings)) return std::nullopt;
  std::set<std::uint32_t> blamed;
  std::size_t times = 0;
  std::string text;
  for (const GroupOutcome& outcome : findings.worlds) {
    if (outcome.kind != OutcomeKind::kHung) continue;
    ++times;
    text = outcome.text;
    for (const std::uint32_t node : blamed_members(findings.world, outcome)) blamed.insert(node);
  }
  if (times < 2 || blamed.size() != 1) return std::nullopt;
  UnfitNode unfit;
  unfit.node = NodeIndex{*blamed.begin()};
  unfit.fault = Fault::kHung;
  unfit.confidence = confidence_of_repeats(times);
  unfit.evidence =
      fmt::format("{}: silent {} times while the other node reported{}{}",
                  findings.host(*blamed.begin()), times, text.empty() ? "" : ": ", text);
  return unfit;
}

bool any_outcome(const Findings& findings, OutcomeKind kind) {
  const auto is = [kind](const auto& seen) { return seen.kind == kind; };
  const auto& pairs = findings.pairs.observations();
  return findings.intra.saw(kind) || std::any_of(pairs.begin(), pairs.end(), is) ||
         std::any_of(findings.worlds.begin(), findings.worlds.end(), is);
}

void add_rails(const Findings& findings, std::vector<UnfitNode>& unfit) {
  if (!findings.confirmation || findings.rails.rounds() == 0) return;
  std::vector<bool> good(findings.cluster.hosts.size());
  for (const std::uint32_t node : findings.confirmation->good()) good[node] = true;
  for (UnfitNode& one : unfit) {
    if (one.fault != Fault::kSlow) continue;
    one.suspect_gpus = findings.rails.suspects(value_of(one.node), one.ratio, good);
    if (!one.suspect_gpus.empty()) {
      one.evidence += fmt::format("; {} and its NICs, the other rails are as fast as elsewhere",
                                  gpus_text(one.suspect_gpus));
    }
  }
}

void add_links(const Findings& findings, Verdict& verdict) {
  if (!findings.confirmation) return;
  const Opinions opinions = findings.confirmation->opinions(findings.pairs, true);
  for (const auto& [link, opinion] : opinions.links) {
    if (opinion.standing != Standing::kUnfit) continue;
    BadLink bad{
        NodeIndex{link.first}, NodeIndex{link.second},    opinion.fault,
        opinion.belief.ratio,  opinion.belief.confidence, link_text(findings, link, opinion)};
    verdict.links.push_back(std::move(bad));
  }
}

// Trouble in a pair that came once and not again: one of the two, or chance.
void add_unrepeated(const Findings& findings, Verdict& verdict) {
  for (const Observation& seen : findings.pairs.observations()) {
    if (seen.kind != OutcomeKind::kHung && seen.kind != OutcomeKind::kWrongData) continue;
    if (names(verdict.unfit, seen.a) || names(verdict.unfit, seen.b)) continue;
    const Pair link = std::minmax(seen.a, seen.b);
    const bool named =
        std::any_of(verdict.links.begin(), verdict.links.end(), [&](const auto& bad) {
          return value_of(bad.a) == link.first && value_of(bad.b) == link.second;
        });
    if (named) continue;
    OneOf one;
    for (const std::uint32_t node : seen.blamed) one.nodes.push_back(NodeIndex{node});
    one.fault = seen.kind == OutcomeKind::kHung ? Fault::kHung : Fault::kWrongData;
    one.evidence = fmt::format("{} with {}: {}, and that did not come back with others{}{}",
                               findings.host(seen.a), findings.host(seen.b), to_string(one.fault),
                               seen.text.empty() ? "" : ": ", seen.text);
    verdict.one_of.push_back(std::move(one));
  }
}

// A hang over all nodes that did not come back among fewer: who said nothing at all was stuck then.
void add_silent(const Findings& findings, Verdict& verdict) {
  for (const GroupOutcome& world : findings.worlds) {
    if (world.kind != OutcomeKind::kHung || two_nodes(findings)) continue;
    OneOf one;
    one.fault = Fault::kHung;
    for (const Member& member : findings.world.members) {
      const auto& silent = world.silent;
      const bool spoke = std::find(silent.begin(), silent.end(), member.node) == silent.end();
      if (!spoke && !names(verdict.unfit, value_of(member.node))) one.nodes.push_back(member.node);
    }
    if (one.nodes.empty() || one.nodes.size() == findings.world.members.size()) continue;
    one.evidence =
        fmt::format("{} said nothing when {} hung on {} nodes, and that did not come back",
                    hosts_text(findings, one.nodes), findings.settings.world.operation,
                    findings.world.members.size());
    verdict.one_of.push_back(std::move(one));
    return;
  }
}

void add_two_nodes(const Findings& findings, Verdict& verdict) {
  if (!two_nodes(findings) || !world_is_poor(findings)) return;
  if (names(verdict.unfit, findings.active[0]) || names(verdict.unfit, findings.active[1])) return;
  const bool wrong = any_outcome(findings, OutcomeKind::kWrongData);
  const bool hung = any_outcome(findings, OutcomeKind::kHung);
  const std::optional<double> busbw = world_busbw(findings);
  if (!wrong && !hung && !busbw) return;
  OneOf one;
  for (const std::uint32_t node : findings.active) one.nodes.push_back(NodeIndex{node});
  one.fault = wrong ? Fault::kWrongData : hung ? Fault::kHung : Fault::kSlow;
  one.evidence =
      fmt::format("one of {}, or what is between them: one pair cannot tell; add a third node",
                  hosts_text(findings, one.nodes));
  if (one.fault == Fault::kSlow) {
    const Threshold* missed = findings.settings.world_expected.missed_by(*busbw);
    const double factor = *busbw / missed->busbw;
    one.suspect_gpus = findings.rails.suspects(findings.active[0], factor,
                                               std::vector<bool>(findings.cluster.hosts.size()));
    if (!one.suspect_gpus.empty()) {
      one.evidence +=
          fmt::format("; on {} the slow one is {}", "one of the two", gpus_text(one.suspect_gpus));
    }
  }
  verdict.one_of.push_back(std::move(one));
}

void add_standings(const Findings& findings, Verdict& verdict) {
  std::set<std::uint32_t> odd;
  std::set<std::uint32_t> doubtful;
  std::set<std::uint32_t> unmeasured;
  const auto note = [&](std::uint32_t node, const Opinion& opinion) {
    if (opinion.standing == Standing::kOdd) odd.insert(node);
    if (opinion.standing == Standing::kDoubtful) doubtful.insert(node);
    if (opinion.standing == Standing::kUnmeasured) unmeasured.insert(node);
  };
  for (const std::uint32_t node : findings.intra.odd_nodes()) odd.insert(node);
  for (const std::uint32_t node : findings.pairs.odd_nodes()) odd.insert(node);
  for (const std::uint32_t node : findings.intra.nodes()) {
    note(node, findings.intra.of_node(node, findings.settings));
  }
  if (findings.confirmation) {
    const bool none_good = findings.confirmation->good().empty();
    const Opinions opinions = findings.confirmation->opinions(findings.pairs, true);
    for (const auto& [node, opinion] : opinions.nodes) {
      if (none_good) {
        unmeasured.insert(node);
      } else {
        note(node, opinion);
      }
    }
  }
  for (const auto& [from, to] :
       {std::pair{&odd, &verdict.odd}, std::pair{&doubtful, &verdict.doubtful},
        std::pair{&unmeasured, &verdict.unmeasured}}) {
    for (const std::uint32_t node : *from) {
      if (!names(verdict.unfit, node)) to->push_back(NodeIndex{node});
    }
  }
}

// What the whole misses, whoever is to blame: the threshold that weighs most, or null.
const Threshold* missed_threshold(const Findings& findings, const Verdict& verdict) {
  const Settings& settings = findings.settings;
  std::vector<const Threshold*> missed;
  if (const auto busbw = world_busbw(findings)) {
    missed.push_back(settings.world_expected.missed_by(*busbw));
  }
  if (findings.fit.reference > 0) {
    missed.push_back(settings.pairs_expected.missed_by(findings.fit.reference));
  }
  if (const auto level = findings.intra.level()) {
    missed.push_back(settings.intra_expected.missed_by(*level));
  }
  for (const UnfitNode& node : verdict.unfit) {
    const double busbw = findings.intra.busbw_of(value_of(node.node));
    if (busbw > 0) missed.push_back(settings.intra_expected.missed_by(busbw));
  }
  const Threshold* worst = nullptr;
  for (const Threshold* threshold : missed) {
    if (threshold == nullptr) continue;
    if (worst == nullptr || (threshold->stops() && !worst->stops())) worst = threshold;
  }
  return worst;
}

Decision decide(const Findings& findings, const Verdict& verdict) {
  if (any_outcome(findings, OutcomeKind::kWrongData)) return Decision::kStop;
  if (any_outcome(findings, OutcomeKind::kHung)) return Decision::kStop;
  const Threshold* missed = missed_threshold(findings, verdict);
  if (missed != nullptr && missed->stops()) return Decision::kStop;
  // Nodes that measured themselves say nothing of what lies between them.
  const bool is_alone = findings.active.size() < 2 && findings.intra.level().has_value();
  const bool nothing = findings.worlds.empty() ? !is_alone : !world_busbw(findings).has_value();
  // The world round of a slow node may fail for want of time; a named culprit says more.
  if (!verdict.unmeasured.empty() || (nothing && verdict.unfit.empty())) {
    return Decision::kNotMeasured;
  }
  const bool blemish = missed != nullptr || !verdict.unfit.empty() || !verdict.links.empty() ||
                       !verdict.one_of.empty() || !verdict.doubtful.empty();
  return blemish ? Decision::kWarn : Decision::kGo;
}

bool whole_is_poor(const Findings& findings, const Verdict& verdict) {
  const bool only_together = findings.fit.reference > 0 && !world_busbw(findings);
  return only_together || missed_threshold(findings, verdict) != nullptr;
}

bool nobody_named(const Verdict& verdict) {
  return verdict.unfit.empty() && verdict.links.empty() && verdict.one_of.empty() &&
         verdict.unmeasured.empty() && verdict.doubtful.empty();
}

// What follows when pairs were measured and nobody stands out.
std::string alike_text(const Findings& findings) {
  if (findings.fit.reference > 0 && !world_busbw(findings)) {
    return fmt::format("every pair of nodes is fine at {:.3g} GB/s: only all together are not",
                       findings.fit.reference);
  }
  if (findings.fit.reference > 0) {
    return fmt::format(
        "all nodes are alike: no pair stands out from {:.3g} GB/s; the cluster or the software is "
        "slow, no node",
        findings.fit.reference);
  }
  return "all nodes are alike: the cluster or the software is slow, no node";
}

// What the first of them that measured itself said of its failure.
std::string unmeasured_text(const Findings& findings, const Verdict& verdict) {
  const std::vector<std::uint32_t> alone = findings.intra.nodes();
  for (const NodeIndex node : verdict.unmeasured) {
    if (std::find(alone.begin(), alone.end(), value_of(node)) == alone.end()) continue;
    const std::string text = findings.intra.of_node(value_of(node), findings.settings).text;
    if (!text.empty()) return ": " + text;
  }
  return "";
}

std::string subject_text(const Findings& findings, const Verdict& verdict) {
  std::vector<NodeIndex> nodes;
  for (const UnfitNode& one : verdict.unfit) nodes.push_back(one.node);
  if (nodes.size() == 1) {
    const UnfitNode& one = verdict.unfit.front();
    return fmt::format("{} (confidence {})", one.evidence, percent_text(one.confidence));
  }
  if (!nodes.empty()) {
    return fmt::format("{} nodes are unfit: {}", nodes.size(), hosts_text(findings, nodes));
  }
  if (!verdict.links.empty()) return verdict.links.front().evidence;
  if (!verdict.one_of.empty()) return verdict.one_of.front().evidence;
  if (!verdict.unmeasured.empty()) {
    return "could not be measured, neither slow nor fine: " +
           hosts_text(findings, verdict.unmeasured) + unmeasured_text(findings, verdict);
  }
  if (!verdict.doubtful.empty()) {
    return "perhaps slow, not surely: " + hosts_text(findings, verdict.doubtful);
  }
  return whole_is_poor(findings, verdict) ? alike_text(findings) : "";
}

void add_evidence(const Findings& findings, Verdict& verdict) {
  verdict.evidence = algorithm_texts(findings);
  for (const UnfitNode& one : verdict.unfit) {
    verdict.evidence.push_back(
        fmt::format("{}, confidence {}", one.evidence, percent_text(one.confidence)));
  }
  for (const BadLink& link : verdict.links) {
    verdict.evidence.push_back(
        fmt::format("{}, confidence {}", link.evidence, percent_text(link.confidence)));
  }
  for (const OneOf& one : verdict.one_of) verdict.evidence.push_back(one.evidence);
  const auto list = [&](const char* text, const std::vector<NodeIndex>& nodes) {
    if (!nodes.empty()) verdict.evidence.push_back(text + hosts_text(findings, nodes));
  };
  list("perhaps slow, not surely, nobody is evicted for it: ", verdict.doubtful);
  list("could not be measured, neither slow nor fine: ", verdict.unmeasured);
  list("ran another algorithm than most nodes, not compared with them: ", verdict.odd);
  if (nobody_named(verdict) && whole_is_poor(findings, verdict)) {
    verdict.evidence.push_back(alike_text(findings));
  }
  for (const std::string& text : {world_text(findings), unsteady_text(findings)}) {
    if (!text.empty()) verdict.evidence.push_back(text);
  }
}

}  // namespace

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::kSlow:
      return "slow";
    case Fault::kHung:
      return "hung";
    case Fault::kWrongData:
      return "wrong data";
  }
  return "unknown";
}

std::string_view to_string(Decision decision) {
  switch (decision) {
    case Decision::kGo:
      return "go";
    case Decision::kWarn:
      return "warn";
    case Decision::kStop:
      return "stop";
    case Decision::kNotMeasured:
      return "could not measure";
  }
  return "unknown";
}

std::optional<double> world_busbw(const Findings& findings) {
  std::vector<double> values;
  for (const GroupOutcome& outcome : findings.worlds) {
    if (outcome.kind == OutcomeKind::kMeasured) values.push_back(outcome.measured.p50_busbw);
  }
  if (values.empty()) return std::nullopt;
  return median(std::move(values));
}

bool world_is_poor(const Findings& findings) {
  const auto troubled = [](const GroupOutcome& outcome) {
    return outcome.kind == OutcomeKind::kHung || outcome.kind == OutcomeKind::kWrongData;
  };
  if (std::any_of(findings.worlds.begin(), findings.worlds.end(), troubled)) return true;
  const std::optional<double> busbw = world_busbw(findings);
  return !busbw || findings.settings.world_expected.missed_by(*busbw) != nullptr;
}

bool world_is_close(const Findings& findings) {
  const std::optional<double> busbw = world_busbw(findings);
  if (!busbw) return false;
  double cv = 0;
  double count = 0;
  for (const GroupOutcome& outcome : findings.worlds) {
    if (outcome.kind != OutcomeKind::kMeasured) continue;
    cv = std::max(cv, outcome.measured.cv);
    ++count;
  }
  // One slow iteration makes cv large and leaves the median, which is judged, where it is.
  const double margin = std::min(cv, findings.settings.rules.world_margin) / std::sqrt(count);
  return findings.settings.world_expected.missed_by(*busbw * (1 - margin)) != nullptr;
}

std::vector<UnfitNode> unfit_nodes(const Findings& findings) {
  std::vector<UnfitNode> unfit;
  const auto add = [&](std::uint32_t node, const Opinion& opinion, std::string evidence) {
    if (opinion.standing != Standing::kUnfit || names(unfit, node)) return;
    const double ratio = opinion.fault == Fault::kSlow ? opinion.belief.ratio : 0;
    unfit.push_back({NodeIndex{node},
                     opinion.fault,
                     ratio,
                     opinion.belief.confidence,
                     {},
                     std::move(evidence)});
  };
  for (const std::uint32_t node : findings.intra.nodes()) {
    const Opinion opinion = findings.intra.of_node(node, findings.settings);
    add(node, opinion, intra_text(findings, node, opinion));
  }
  if (findings.confirmation) {
    const Opinions opinions = findings.confirmation->opinions(findings.pairs, true);
    for (const auto& [node, opinion] : opinions.nodes) {
      add(node, opinion,
          opinion.fault == Fault::kSlow ? slow_node_text(findings, node, opinion)
                                        : troubled_node_text(findings, node, opinion));
    }
  }
  if (const auto silent = silent_of_two(findings)) unfit.push_back(*silent);
  std::sort(unfit.begin(), unfit.end(),
            [](const UnfitNode& a, const UnfitNode& b) { return a.node < b.node; });
  return unfit;
}

Verdict draw_verdict(const Findings& findings) {
  Verdict verdict;
  verdict.rounds = findings.rounds;
  verdict.unfit = unfit_nodes(findings);
  add_rails(findings, verdict.unfit);
  add_links(findings, verdict);
  add_unrepeated(findings, verdict);
  add_silent(findings, verdict);
  add_two_nodes(findings, verdict);
  add_standings(findings, verdict);
  verdict.decision = decide(findings, verdict);
  add_evidence(findings, verdict);
  const std::string subject = subject_text(findings, verdict);
  const std::string world = world_text(findings);
  verdict.line = fmt::format("verdict: {}", to_string(verdict.decision));
  if (!subject.empty()) verdict.line += ": " + subject;
  if (!world.empty()) verdict.line += (subject.empty() ? ": " : "; ") + world;
  if (findings.worlds.empty() && subject.empty()) {
    verdict.line += findings.intra.empty() ? ": one rank has no bus bandwidth"
                                           : ": " + intra_level_text(findings);
  }
  return verdict;
}

}  // namespace muster::bench::localise
