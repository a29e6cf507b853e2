#include "launcher/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/report/pair_drawing.h"
#include "launcher/report/pair_grid.h"
#include "launcher/report/pair_look.h"
#include "launcher/report/text.h"

namespace muster::report {

namespace {

constexpr double kWorthNaming = 0.85;  // of the reference; below it a pair is in the table

std::string swatch(std::string_view style, std::string_view sign, std::string_view meaning) {
  return fmt::format(
      R"(<li><svg class="map swatch" width="22" height="18" aria-hidden="true"><g class="{}">)"
      R"(<rect x="0" y="0" width="22" height="18" rx="3"/><text x="11" y="13">{}</text></g></svg>)"
      "{}</li>",
      style, sign, meaning);
}

std::string print_legend(const PairGrid& grid) {
  std::string legend = R"(<ul class="legend">)";
  for (const Shade& shade : kShades) legend += swatch(shade.style, "", shade.meaning);
  for (const PairOutcome outcome :
       {PairOutcome::kHung, PairOutcome::kWrongData, PairOutcome::kNotMeasured}) {
    const bool occurs = std::ranges::any_of(
        grid.cells, [outcome](const PairCell& cell) { return cell.outcome == outcome; });
    const Mark mark = mark_of(outcome);
    const bool has_text = grid.hosts.size() <= kMaxTextNodes;
    if (occurs) legend += swatch(mark.style, has_text ? mark.sign : "", mark.meaning);
  }
  return legend + swatch("qe", "", "not tried") + "</ul>";
}

// The pairs that failed or are slow, worst first.
std::vector<PairCell> worth_naming(const PairGrid& grid) {
  std::vector<PairCell> named;
  std::ranges::copy_if(grid.cells, std::back_inserter(named), [&grid](const PairCell& cell) {
    return cell.outcome != PairOutcome::kMeasured || grid.ratio(cell) < kWorthNaming;
  });
  std::ranges::stable_sort(named, [](const PairCell& left, const PairCell& right) {
    return left.outcome != right.outcome ? left.outcome > right.outcome
                                         : left.median < right.median;
  });
  return named;
}

std::string print_named_row(const PairGrid& grid, const PairCell& cell, PairKind kind) {
  const bool has_figure = cell.measured > 0;
  return fmt::format(
      R"(<tr><td class="host">{}</td><td class="host">{}</td><td>{}{}</td><td class="num">{}</td>)"
      R"(<td class="num">{}</td><td class="num">{}</td></tr>)",
      escape(grid.hosts[cell.a]), escape(grid.hosts[cell.b]), mark_of(cell.outcome).meaning,
      kind == PairKind::kRails ? ", one GPU of each" : "",
      has_figure ? rate_text(cell.median) + " GB/s" : "–",
      has_figure ? percent_text(grid.ratio(cell)) : "–", cell.times);
}

std::string print_named_pairs(const PairGrid& nodes, const PairGrid& rails) {
  std::string rows;
  std::size_t count = 0;
  for (const auto& [grid, kind] :
       {std::pair{&nodes, PairKind::kNodes}, std::pair{&rails, PairKind::kRails}}) {
    for (const PairCell& cell : worth_naming(*grid)) {
      if (count++ < kMaxNamedPairs) rows += print_named_row(*grid, cell, kind);
    }
  }
  if (count == 0) return "";
  std::string text = fmt::format(
      "<div><h3>Pairs worth a look</h3><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead><tr><th>node</th>"
      "<th>node</th><th>outcome</th><th class=\"num\">median</th><th class=\"num\">of the "
      "reference</th>"
      "<th class=\"num\">rounds</th></tr></thead><tbody>{}</tbody></table></div>",
      rows);
  if (count > kMaxNamedPairs) {
    text += fmt::format("<p class=\"note\">and {} more</p>", count - kMaxNamedPairs);
  }
  return text + "</div>";
}

std::string print_reading(const PairGrid& grid) {
  std::string text =
      fmt::format("{} of {} nodes. ", count_text(grid.cells.size(), "pair"), grid.hosts.size());
  if (grid.reference <= 0) return text + "None gave a figure.";
  text += fmt::format(
      "100 % is {} GB/s, the median of {}.", rate_text(grid.reference),
      grid.is_of_good_pairs ? "the pairs of which nothing is accused" : "all measured pairs");
  if (grid.hosts.size() > kMaxTextNodes) return text;
  return text +
         (grid.hosts.size() <= kMaxRateNodes ? " Cells are GB/s." : " Cells are percent of that.");
}

}  // namespace

std::string print_heat_map(const Document& document) {
  const PairGrid nodes = make_pair_grid(document, PairKind::kNodes);
  const PairGrid rails = make_pair_grid(document, PairKind::kRails);
  if (nodes.cells.empty() && rails.cells.empty()) {
    if (document.nodes.size() < 2) return "";
    return "<section><h2>Node pairs</h2><p class=\"note\">No pair was measured by itself.</p>"
           "</section>";
  }
  std::string section = "<section><h2>Node pairs</h2>";
  std::string map;
  if (!nodes.cells.empty()) section += "<p>" + print_reading(nodes) + "</p>";
  if (nodes.hosts.size() > kMaxMapNodes) {
    section +=
        fmt::format("<p class=\"note\">There is no map of more than {} nodes.</p>", kMaxMapNodes);
  } else if (!nodes.cells.empty()) {
    section += print_legend(nodes);
    map = draw_pairs(document, nodes);
  }
  if (!rails.cells.empty()) {
    section +=
        fmt::format("<p class=\"note\">{} measured with one GPU of each node, not in the map.</p>",
                    count_text(rails.cells.size(), "pair"));
  }
  // Side by side where there is room.
  return section + "<div class=\"beside\">" + map + print_named_pairs(nodes, rails) +
         "</div></section>";
}

}  // namespace muster::report
