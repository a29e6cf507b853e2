#include "collectives-bench/localise/verdict_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace muster::bench::localise {

namespace {

constexpr double kUnsteadyCv = 0.05;
constexpr std::size_t kMostHosts = 8;  // named in one line

const char* plural(std::size_t count) {
  return count == 1 ? "" : "s";
}

std::string speed(double busbw) {
  return busbw < 10 ? fmt::format("{:.3f} GB/s", busbw) : fmt::format("{:.1f} GB/s", busbw);
}

std::string with_colon(const std::string& text) {
  return text.empty() ? "" : ": " + text;
}

std::string threshold_text(const Threshold& threshold) {
  std::string text = fmt::format("{} {}", to_string(threshold.source), speed(threshold.busbw));
  if (threshold.tolerance > 0) text += " less " + percent_text(threshold.tolerance);
  return text;
}

std::string compared(double busbw, const Expectation& expected) {
  if (!expected.known()) return speed(busbw) + ", nothing to compare with";
  const Threshold* missed = expected.missed_by(busbw);
  return fmt::format("{}, {}{}", speed(busbw), missed ? "below " : "",
                     threshold_text(missed ? *missed : expected.thresholds.front()));
}

void note_change(std::vector<std::string>& texts, const std::string& what,
                 const std::string& measured, const std::string& expected) {
  if (measured.empty() || expected.empty() || measured == expected) return;
  texts.push_back(fmt::format(
      "{} ran {}, what is expected was taken with {}: the algorithm changed, which alone can "
      "change the speed",
      what, measured, expected));
}

}  // namespace

std::string percent_text(double share) {
  const double percent = share * 100;
  return std::abs(percent - std::round(percent)) < 0.05 ? fmt::format("{:.0f} %", percent)
                                                        : fmt::format("{:.1f} %", percent);
}

std::string hosts_text(const Findings& findings, const std::vector<NodeIndex>& nodes) {
  std::string text;
  for (std::size_t i = 0; i < nodes.size() && i < kMostHosts; ++i) {
    text += (i > 0 ? ", " : "") + findings.host(value_of(nodes[i]));
  }
  if (nodes.size() > kMostHosts) text += fmt::format(" and {} more", nodes.size() - kMostHosts);
  return text;
}

std::string gpus_text(const std::vector<LocalRank>& gpus) {
  std::string text = gpus.size() == 1 ? "local rank " : "local ranks ";
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    text += fmt::format("{}{}", i > 0 ? ", " : "", value_of(gpus[i]));
  }
  return text;
}

std::string slow_node_text(const Findings& findings, std::uint32_t node, const Opinion& opinion) {
  const Reference reference = findings.confirmation->reference(findings.pairs);
  return fmt::format("{}: {} with {} good partner{} that reach {} among themselves ({:.0f} %)",
                     findings.host(node), speed(opinion.busbw), opinion.partners,
                     plural(opinion.partners), speed(reference.busbw), opinion.belief.ratio * 100);
}

std::string troubled_node_text(const Findings& findings, std::uint32_t node,
                               const Opinion& opinion) {
  return fmt::format("{}: {} {} time{}, with {} different partner{}{}", findings.host(node),
                     opinion.fault == Fault::kHung ? "hung" : "gave wrong data", opinion.times,
                     plural(opinion.times), opinion.partners, plural(opinion.partners),
                     with_colon(opinion.text));
}

std::string intra_text(const Findings& findings, std::uint32_t node, const Opinion& opinion) {
  if (opinion.fault != Fault::kSlow) {
    return fmt::format("{}: {} {} time{} by itself{}", findings.host(node),
                       opinion.fault == Fault::kHung ? "hung" : "gave wrong data", opinion.times,
                       plural(opinion.times), with_colon(opinion.text));
  }
  return fmt::format("{}: {} inside the node, {:.0f} % of {}", findings.host(node),
                     speed(opinion.busbw), opinion.belief.ratio * 100,
                     opinion.partners >= 2 ? "the other nodes" : "what is expected");
}

std::string link_text(const Findings& findings, const Pair& link, const Opinion& opinion) {
  const std::string between =
      fmt::format("between {} and {}", findings.host(link.first), findings.host(link.second));
  if (opinion.fault != Fault::kSlow) {
    return fmt::format("{}: {} {} time{}, each is right with others", between,
                       opinion.fault == Fault::kHung ? "hung" : "wrong data", opinion.times,
                       plural(opinion.times));
  }
  return fmt::format("{}: {}, {:.0f} % of what each reaches with others", between,
                     speed(opinion.busbw), opinion.belief.ratio * 100);
}

std::string world_text(const Findings& findings) {
  if (findings.worlds.empty()) return "";
  const std::string what = fmt::format("{} on {} nodes", findings.settings.world.operation,
                                       findings.world.members.size());
  const std::optional<double> busbw = world_busbw(findings);
  if (!busbw) {
    const GroupOutcome& outcome = findings.worlds.front();
    const char* seen = outcome.kind == OutcomeKind::kHung        ? "hung"
                       : outcome.kind == OutcomeKind::kWrongData ? "gave wrong data"
                                                                 : "could not be measured";
    return fmt::format("{}: {}{}", what, seen, with_colon(outcome.text));
  }
  return what + ": " + compared(*busbw, findings.settings.world_expected);
}

std::string unsteady_text(const Findings& findings) {
  for (const GroupOutcome& world : findings.worlds) {
    const Measurement& measured = world.measured;
    if (world.kind != OutcomeKind::kMeasured || measured.cv < kUnsteadyCv) continue;
    std::string text =
        fmt::format("unsteady: the times of the iterations over all nodes vary by {}",
                    percent_text(measured.cv));
    if (measured.p99_busbw > 0) {
      text += fmt::format(", one in a hundred is below {}", speed(measured.p99_busbw));
    }
    return text;
  }
  return "";
}

std::string intra_level_text(const Findings& findings) {
  const std::string what = findings.settings.intra.operation + " inside the node: ";
  const std::optional<double> level = findings.intra.level();
  if (!level)
    return what + (findings.intra.saw(OutcomeKind::kHung) ? "hung" : "could not be measured");
  return what + compared(*level, findings.settings.intra_expected);
}

std::vector<std::string> algorithm_texts(const Findings& findings) {
  std::vector<std::string> texts;
  const Settings& settings = findings.settings;
  for (const GroupOutcome& world : findings.worlds) {
    if (world.kind != OutcomeKind::kMeasured) continue;
    note_change(texts, fmt::format("{} over all nodes", settings.world.operation),
                world.measured.algorithm, settings.world_expected.algorithm);
    break;
  }
  note_change(texts, settings.intra.operation + " inside the nodes", findings.intra.algorithm(),
              settings.intra_expected.algorithm);
  note_change(texts, settings.pairs.operation + " in pairs", findings.pairs.algorithm(),
              settings.pairs_expected.algorithm);
  return texts;
}

}  // namespace muster::bench::localise
