#include "launcher/report/html_report.h"

#include <fmt/format.h>

#include "launcher/report/document.h"
#include "launcher/report/facts.h"
#include "launcher/report/heat_map.h"
#include "launcher/report/line_chart.h"
#include "launcher/report/probes.h"
#include "launcher/report/style.h"
#include "launcher/report/summary.h"
#include "launcher/report/text.h"

namespace muster::report {

namespace {

// Escaping is what keeps the page harmless; this is the second lock.
constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

std::string print_head(const Document& document) {
  std::string title = verdict_word(document);
  if (!document.nodes.empty()) title += ", " + count_text(document.nodes.size(), "node");
  if (!document.job.empty()) title += ", job " + escape(document.job);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<title>{} – muster check</title>\n<style>{}</style>\n</head>\n",
      kPolicy, title, style_sheet());
}

std::string print_footer(const Document& document) {
  const Measurement& measured = document.measurement;
  std::string text = "<footer><p>";
  std::string_view between = "";
  const auto add = [&text, &between](std::string_view noun, const std::string& value) {
    if (value.empty()) return;
    text += fmt::format("{}{} {}", between, noun, escape(value));
    between = " · ";
  };
  add("backend", measured.backend);
  if (measured.ranks > 0) add("over", count_text(measured.ranks, "rank"));
  add("library", measured.library);
  add("network", measured.network);
  add("device", measured.device);
  return text + "</p></footer>";
}

}  // namespace

Result<std::string> print_html_report(std::string_view json_document) {
  MUSTER_TRY(document, parse_document(json_document));
  std::string page = print_head(document) + "<body>\n<main>\n";
  page += print_verdict(document) + print_accused(document) + print_commands(document);
  // Two short ones stand side by side where there is room.
  const std::string short_ones = print_rounds(document) + print_choice(document);
  if (!short_ones.empty()) page += "<div class=\"pair\">" + short_ones + "</div>";
  for (const auto print : {print_line_charts, print_heat_map, print_probes, print_disagreements,
                           print_notes, print_facts}) {
    page += '\n' + print(document);
  }
  return page + "</main>\n" + print_footer(document) + "\n</body>\n</html>\n";
}

}  // namespace muster::report
