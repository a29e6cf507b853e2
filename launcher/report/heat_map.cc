#include "launcher/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "launcher/report/pair_grid.h"
#include "launcher/report/text.h"

namespace muster::report {

namespace {

constexpr double kWorthNaming = 0.85;  // of the reference; below it a pair is in the table
constexpr std::size_t kMaxLabel = 16;  // characters; of a longer name its end, which differs most

struct Shade {
  std::string_view style;  // class of the style sheet
  double below;            // share of the reference at which the next one begins
  std::string_view meaning;
};

constexpr std::array<Shade, 6> kShades = {{{"q0", 0.50, "below 50 %"},
                                           {"q1", 0.70, "50–70 %"},
                                           {"q2", 0.85, "70–85 %"},
                                           {"q3", 0.95, "85–95 %"},
                                           {"q4", 1.05, "95–105 %"},
                                           {"q5", 0, "above 105 %"}}};

struct Mark {
  std::string_view style;
  std::string_view sign;
  std::string_view meaning;
};

Mark mark_of(PairOutcome outcome) {
  switch (outcome) {
    case PairOutcome::kHung:
      return {"qh", "×", "hung"};
    case PairOutcome::kWrongData:
      return {"qw", "≠", "wrong data"};
    case PairOutcome::kNotMeasured:
      return {"qn", "–", "not measured"};
    case PairOutcome::kMeasured:
      break;
  }
  return {"", "", "measured"};
}

std::string_view style_of(const PairGrid& grid, const PairCell& cell) {
  if (cell.outcome != PairOutcome::kMeasured) return mark_of(cell.outcome).style;
  const double ratio = grid.ratio(cell);
  const auto shade =
      std::ranges::find_if(kShades, [ratio](const Shade& s) { return ratio < s.below; });
  return shade == kShades.end() ? kShades.back().style : shade->style;
}

// --- the drawing ---

struct Layout {
  std::size_t nodes = 0;
  int cell = 0;              // pixels of a side
  int left = 0;              // pixels for the names of the rows
  int top = 0;               // pixels for those of the columns
  std::size_t every = 1;     // this many nodes share one name
  bool turns_names = false;  // above the columns
  int side() const { return static_cast<int>(nodes) * cell; }
  int x(std::size_t place) const { return left + static_cast<int>(place) * cell; }
  int y(std::size_t place) const { return top + static_cast<int>(place) * cell; }
};

int cell_size(std::size_t nodes) {
  struct Step {
    std::size_t up_to;
    int pixels;
  };
  constexpr std::array<Step, 7> kSteps = {
      {{8, 54}, {16, 42}, {32, 28}, {kMaxTextNodes, 16}, {128, 8}, {256, 4}, {kMaxMapNodes, 2}}};
  for (const Step& step : kSteps) {
    if (nodes <= step.up_to) return step.pixels;
  }
  return 1;
}

bool continues_utf8(char letter) {
  return (static_cast<unsigned char>(letter) & 0xc0) == 0x80;
}

std::string label_of(const std::string& host) {
  if (host.size() <= kMaxLabel) return escape(host);
  std::size_t start = host.size() - (kMaxLabel - 1);
  while (start < host.size() && continues_utf8(host[start])) ++start;
  return "…" + escape(std::string_view(host).substr(start));
}

Layout lay_out(const Texts& hosts) {
  constexpr double kLetter = 7.3;  // pixels
  constexpr int kLine = 13;        // pixels between names
  std::size_t longest = 1;
  for (const std::string& host : hosts)
    longest = std::max(longest, std::min(host.size(), kMaxLabel));
  Layout layout;
  layout.nodes = hosts.size();
  layout.cell = cell_size(hosts.size());
  const int width = static_cast<int>(static_cast<double>(longest) * kLetter) + 20;
  layout.turns_names = width > layout.cell + 18;
  layout.left = width;
  layout.top = layout.turns_names ? width : 24;
  while (layout.cell * static_cast<int>(layout.every) < kLine) layout.every *= 2;
  return layout;
}

std::string draw_names(const Document& document, const Texts& hosts, const Layout& layout) {
  std::string drawn;
  for (std::size_t i = 0; i < hosts.size(); i += layout.every) {
    const bool is_unfit = std::ranges::any_of(document.unfit, [&hosts, i](const Suspect& suspect) {
      return std::ranges::find(suspect.hosts, hosts[i]) != suspect.hosts.end();
    });
    const std::string name = (is_unfit ? "✕ " : "") + label_of(hosts[i]);
    const int middle = std::max(layout.cell / 2, layout.every > 1 ? 6 : 0);
    const char* style = is_unfit ? "nm bad" : "nm";
    drawn += fmt::format(R"(<text class="{}" x="{}" y="{}" text-anchor="end">{}</text>)", style,
                         layout.left - 6, layout.y(i) + middle + 4, name);
    if (layout.turns_names) {
      drawn +=
          fmt::format(R"_(<text class="{}" transform="translate({} {})rotate(-90)">{}</text>)_",
                      style, layout.x(i) + middle + 4, layout.top - 6, name);
    } else {
      drawn += fmt::format(R"(<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>)",
                           style, layout.x(i) + middle, layout.top - 8, name);
    }
  }
  return drawn;
}

std::string cell_title(const PairGrid& grid, const PairCell& cell) {
  std::string title = fmt::format("{} – {}: ", grid.hosts[cell.a], grid.hosts[cell.b]);
  if (cell.outcome != PairOutcome::kMeasured) {
    title +=
        fmt::format("{} in {}", mark_of(cell.outcome).meaning, count_text(cell.times, "round"));
    if (cell.measured == 0) return escape(title);
    title += fmt::format("; else {} GB/s", rate_text(cell.median));
    return escape(title);
  }
  return escape(title + fmt::format("{} GB/s, {} of the median, {}", rate_text(cell.median),
                                    percent_text(grid.ratio(cell)),
                                    count_text(cell.times, "round")));
}

std::string cell_text(const PairGrid& grid, const PairCell& cell) {
  if (cell.outcome != PairOutcome::kMeasured) return std::string(mark_of(cell.outcome).sign);
  if (grid.hosts.size() <= 16) return rate_text(cell.median);
  return fmt::format("{:.0f}", std::min(grid.ratio(cell) * 100, 999.0));
}

// Each cell twice, since a row then shows all pairs of its node.
std::string draw_cells_with_text(const PairGrid& grid, const Layout& layout) {
  std::string drawn;
  for (const PairCell& cell : grid.cells) {
    const std::string_view style = style_of(grid, cell);
    const std::string title = cell_title(grid, cell);
    const std::string text = cell_text(grid, cell);
    for (const auto& [row, column] : {std::pair{cell.a, cell.b}, std::pair{cell.b, cell.a}}) {
      const int x = layout.x(column);
      const int y = layout.y(row);
      drawn += fmt::format(
          R"(<g class="{}"><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="3"/>)"
          R"(<text x="{}" y="{}">{}</text></g>)",
          style, title, x + 1, y + 1, layout.cell - 2, layout.cell - 2, x + layout.cell / 2,
          y + layout.cell / 2 + 4, text);
    }
  }
  return drawn;
}

// Per shade one path of horizontal strokes, neighbours of one shade joined: a map of 512 nodes that
// are all paired stays within a few megabytes.
std::string draw_cells_as_strokes(const PairGrid& grid, const Layout& layout) {
  struct Place {
    std::size_t row, column;
    std::string_view style;
  };
  std::vector<Place> places;
  places.reserve(grid.cells.size() * 2);
  for (const PairCell& cell : grid.cells) {
    const std::string_view style = style_of(grid, cell);
    places.push_back({cell.a, cell.b, style});
    places.push_back({cell.b, cell.a, style});
  }
  std::ranges::sort(places, [](const Place& left, const Place& right) {
    return std::tie(left.row, left.column) < std::tie(right.row, right.column);
  });
  std::map<std::string_view, std::string> paths;
  for (std::size_t i = 0; i < places.size();) {
    std::size_t end = i + 1;
    while (end < places.size() && places[end].row == places[i].row &&
           places[end].style == places[i].style &&
           places[end].column == places[i].column + (end - i)) {
      ++end;
    }
    paths[places[i].style] += fmt::format("M{} {}h{}", places[i].column, places[i].row, end - i);
    i = end;
  }
  std::string drawn = fmt::format(R"_(<g class="strokes" transform="translate({} {})scale({})">)_",
                                  layout.left, layout.top + layout.cell / 2.0, layout.cell);
  for (const auto& [style, path] : paths) {
    drawn += fmt::format(R"(<path class="{}" d="{}"/>)", style, path);
  }
  return drawn + "</g>";
}

std::string draw(const Document& document, const PairGrid& grid) {
  const Layout layout = lay_out(grid.hosts);
  const bool has_text = grid.hosts.size() <= kMaxTextNodes;
  std::string drawn = fmt::format(
      R"(<div class="scroll" tabindex="0"><svg class="map{}" width="{}" height="{}" role="img" )"
      R"(aria-label="Bus bandwidth of each pair of nodes">)",
      grid.hosts.size() > 32   ? " tiny"
      : grid.hosts.size() > 16 ? " dense"
                               : "",
      layout.left + layout.side() + 1, layout.top + layout.side() + 1);
  drawn += fmt::format(R"(<rect class="ground" x="{}" y="{}" width="{}" height="{}" rx="4"/>)"
                       R"(<path class="diagonal" d="M{} {}l{} {}"/>)",
                       layout.left, layout.top, layout.side(), layout.side(), layout.left,
                       layout.top, layout.side(), layout.side());
  drawn += has_text ? draw_cells_with_text(grid, layout) : draw_cells_as_strokes(grid, layout);
  return drawn + draw_names(document, grid.hosts, layout) + "</svg></div>";
}

// --- words around it ---

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
  return text + (grid.hosts.size() <= 16 ? " Cells are GB/s." : " Cells are percent of that.");
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
    map = draw(document, nodes);
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
