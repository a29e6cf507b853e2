#include "launcher/report/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "launcher/report/text.h"

namespace muster::report {

namespace {

bool is_fit(const Document& document) {
  return document.verdict == "fit";
}

bool is_unfit(const Document& document) {
  return document.verdict == "unfit";
}

// Nothing that may stop a job missed its figure, and yet a node or a link is accused.
bool is_fit_with_culprit(const Document& document) {
  return is_fit(document) &&
         !(document.unfit.empty() && document.links.empty() && document.one_of.empty());
}

std::string_view verdict_style(const Document& document) {
  if (is_unfit(document)) return "unfit";
  return is_fit(document) && !is_fit_with_culprit(document) ? "fit" : "unknown";
}

std::string_view verdict_sign(const Document& document) {
  if (is_unfit(document)) return "✕";
  if (is_fit_with_culprit(document)) return "!";
  return is_fit(document) ? "✓" : "?";
}

std::size_t count_probes(const Document& document, std::string_view answer) {
  std::size_t count = 0;
  for (const Node& node : document.nodes) {
    count += static_cast<std::size_t>(std::ranges::count(node.probes, answer, &Probe::answer));
  }
  return count;
}

// What the word alone does not say, in one sentence.
std::string reason_of(const Document& document) {
  if ((is_unfit(document) || is_fit(document)) && !document.unfit.empty()) {
    Texts hosts;
    for (const Suspect& suspect : document.unfit) hosts.push_back(fold_hosts(suspect.hosts));
    return fmt::format("{} of {} {} at fault: {}", hosts.size(),
                       count_text(document.nodes.size(), "node"), hosts.size() == 1 ? "is" : "are",
                       fold_hosts(hosts));
  }
  Texts failed;
  for (const Node& node : document.nodes) {
    if (node.answer == "FAIL") failed.push_back(node.host);
  }
  if (!failed.empty()) return "A probe failed on " + fold_hosts(failed);
  const std::size_t warned = count_probes(document, "WARN");
  if (is_fit(document) && warned > 0)
    return count_text(warned, "warning") + "; a warning stops no job";
  if (is_fit(document) || is_unfit(document)) return "";
  if (document.verdict.empty()) return "The document has no verdict";
  if (document.verdict == "not measured")
    return "Nothing is proven: the nodes are neither fit nor unfit";
  return fmt::format("The check ended early: {}{}", document.verdict,
                     document.exit_code ? fmt::format(" (exit code {})", *document.exit_code) : "");
}

std::string tile(std::string_view name, const std::string& value, const std::string& more) {
  return fmt::format(R"(<div><dt>{}</dt><dd>{}</dd><dd class="note">{}</dd></div>)", name, value,
                     more);
}

std::string probes_tile(const Document& document) {
  const std::size_t failed = count_probes(document, "FAIL");
  const std::size_t warned = count_probes(document, "WARN");
  const std::string rest = fmt::format("{} passed, {} skipped", count_probes(document, "PASS"),
                                       count_probes(document, "SKIP"));
  if (failed + warned == 0) return tile("Probes", "no finding", rest);
  std::string value;
  if (failed > 0) value = fmt::format("{} FAIL", failed);
  if (warned > 0) value += fmt::format("{}{} WARN", value.empty() ? "" : ", ", warned);
  return tile("Probes", value, rest);
}

// The largest size over the most nodes.
const Rate* headline_rate(const Document& document) {
  const auto best =
      std::ranges::max_element(document.rates, [](const Rate& left, const Rate& right) {
        return left.nodes != right.nodes ? left.nodes < right.nodes : left.bytes < right.bytes;
      });
  return best == document.rates.end() ? nullptr : &*best;
}

std::string rate_tile(const Rate& rate) {
  std::string more = "busbw at " + bytes_text(rate.bytes);
  if (rate.expected && rate.expected->busbw.value_or(0) > 0) {
    more +=
        fmt::format(", {} of what is expected", percent_text(rate.busbw / *rate.expected->busbw));
  } else if (rate.expected && rate.expected->minimum) {
    more += fmt::format(", at least {} expected", rate_text(*rate.expected->minimum));
  }
  return tile("Bandwidth", rate_text(rate.busbw) + " <small>GB/s</small>", more);
}

std::string print_tiles(const Document& document) {
  std::string tiles;
  if (!document.nodes.empty()) {
    Texts hosts;
    for (const Node& node : document.nodes) hosts.push_back(node.host);
    constexpr std::size_t kMostHosts = 64;  // letters, of a tile
    const std::string folded = fold_hosts(hosts);
    tiles += tile("Nodes", std::to_string(hosts.size()),
                  folded.size() <= kMostHosts ? escape(folded) : "");
    tiles += probes_tile(document);
  }
  if (const Rate* rate = headline_rate(document)) tiles += rate_tile(*rate);
  if (document.seconds) {
    const std::string more =
        document.rounds.empty() ? "" : count_text(document.rounds.size(), "round");
    tiles += tile("Time", seconds_text(*document.seconds), more);
  }
  return tiles.empty() ? "" : "<dl class=\"tiles\">" + tiles + "</dl>";
}

std::string print_origin(const Document& document) {
  std::string text = "muster check";
  const auto add = [&text](std::string_view noun, const std::string& value) {
    if (!value.empty()) text += fmt::format(" · {}{}", noun, escape(value));
  };
  add("job ", document.job);
  add("profile ", document.profile);
  add("", document.when);
  return text;
}

// --- who is accused ---

std::string print_suspect(const Suspect& suspect, std::string_view between) {
  std::string hosts;
  for (const std::string& host : suspect.hosts) {
    hosts += fmt::format("{}<b class=\"host\">{}</b>", hosts.empty() ? "" : between, escape(host));
  }
  std::string figures;
  const auto add = [&figures](const std::string& text) {
    figures += (figures.empty() ? "" : " · ") + text;
  };
  if (suspect.ratio && *suspect.ratio > 0) {
    add(percent_text(*suspect.ratio) + " of what good ones reach");
  }
  if (suspect.confidence) add(percent_text(*suspect.confidence) + " sure");
  if (!suspect.gpus.empty()) add("GPU " + escape(fold_hosts(suspect.gpus)));
  std::string text = fmt::format(R"(<li><p>{} <span class="tag fail">{}</span></p>)", hosts,
                                 suspect.fault.empty() ? "at fault" : escape(suspect.fault));
  if (!figures.empty()) text += "<p>" + figures + "</p>";
  if (!suspect.evidence.empty()) text += "<p class=\"note\">" + escape(suspect.evidence) + "</p>";
  return text + "</li>";
}

std::string print_suspects(std::string_view title, const std::vector<Suspect>& suspects,
                           std::string_view between) {
  if (suspects.empty()) return "";
  std::string list;
  for (const Suspect& suspect : suspects) list += print_suspect(suspect, between);
  return fmt::format("<h3>{}</h3><ul class=\"accused\">{}</ul>", title, list);
}

std::string print_row(std::string_view name, const Texts& hosts, std::string_view meaning) {
  if (hosts.empty()) return "";
  return fmt::format(
      R"(<tr><th scope="row">{}</th><td class="num">{}</td><td class="host wrap">{}</td>)"
      R"(<td class="note">{}</td></tr>)",
      name, hosts.size(), escape(fold_hosts(hosts)), meaning);
}

std::string as_table(const std::string& rows) {
  return "<div class=\"scroll\" tabindex=\"0\"><table><tbody>" + rows + "</tbody></table></div>";
}

}  // namespace

std::string verdict_word(const Document& document) {
  if (is_fit_with_culprit(document)) return "Fit, with a warning";
  if (is_fit(document)) return "Fit";
  return is_unfit(document) ? "Unfit" : "Could not measure";
}

std::string print_verdict(const Document& document) {
  const std::string reason = reason_of(document);
  std::string text = fmt::format(R"(<header class="{}"><p class="origin">{}</p><h1>)"
                                 R"(<span class="sign" aria-hidden="true">{}</span>{}</h1>)",
                                 verdict_style(document), print_origin(document),
                                 verdict_sign(document), verdict_word(document));
  if (!reason.empty()) text += "<p class=\"reason\">" + escape(reason) + ".</p>";
  if (!document.measurement.verdict.empty()) {
    text += "<p class=\"line\">" + escape(document.measurement.verdict) + "</p>";
  }
  return text + print_tiles(document) + "</header>";
}

std::string print_accused(const Document& document) {
  std::string text =
      print_suspects("Unfit nodes", document.unfit, ", ") +
      print_suspects("Bad links", document.links, " – ") +
      print_suspects("One of these, or what lies between them", document.one_of, " or ");
  const std::string rows =
      print_row("doubtful", document.doubtful, "below what is expected, not surely") +
      print_row("not measured", document.unmeasured, "neither slow nor fine") +
      print_row("odd", document.odd, "measured by another algorithm than most");
  if (!rows.empty()) text += as_table(rows);
  return text.empty() ? "" : "<section><h2>Who is at fault</h2>" + text + "</section>";
}

std::string print_commands(const Document& document) {
  if (document.commands.empty()) return "";
  std::string lines;
  for (const std::string& command : document.commands) lines += escape(command) + "\n";
  return "<section><h2>What an operator would run</h2><pre tabindex=\"0\">" + lines +
         "</pre></section>";
}

std::string print_choice(const Document& document) {
  const std::string rows = print_row("chosen", document.chosen, "the job’s nodes") +
                           print_row("spares", document.spares, "fit, and not needed") +
                           print_row("left out", document.left_out, "the job does without");
  return rows.empty() ? "" : "<section><h2>Nodes of the job</h2>" + as_table(rows) + "</section>";
}

std::string print_rounds(const Document& document) {
  if (document.rounds.empty()) return "";
  double longest = 0;
  for (const Round& round : document.rounds) longest = std::max(longest, round.seconds.value_or(0));
  std::string rows;
  for (const Round& round : document.rounds) {
    const double share = longest > 0 ? round.seconds.value_or(0) / longest : 0;
    rows += fmt::format(
        R"(<tr><td class="num">{}</td><td>{}</td><td class="num">{}</td><td class="num">{}</td>)"
        R"(<td class="bar"><svg width="120" height="10" aria-hidden="true"><rect class="time" )"
        R"(width="{:.1f}" height="10" rx="2"/></svg></td></tr>)",
        round.number, escape(round.kind), round.groups,
        round.seconds ? seconds_text(*round.seconds) : "–", share * 120);
  }
  return "<section><h2>Rounds</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
         "<th class=\"num\">round</th><th>kind</th><th class=\"num\">groups</th>"
         "<th class=\"num\">time</th><th></th></tr></thead><tbody>" +
         rows + "</tbody></table></div></section>";
}

std::string print_notes(const Document& document) {
  if (document.notes.empty()) return "";
  std::string list;
  for (const std::string& note : document.notes) list += "<li>" + escape(note) + "</li>";
  return "<section><h2>Notes</h2><ul>" + list + "</ul></section>";
}

}  // namespace muster::report
