#include "launcher/report/pair_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "launcher/report/pair_look.h"
#include "launcher/report/text.h"

namespace muster::report {

namespace {

constexpr std::size_t kMaxLabel = 16;  // characters; of a longer name its end, which differs most

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

// A cell has room for six letters: of a slow link's speed two digits, "0.0037".
std::string cell_rate(double busbw) {
  return busbw >= 0.001 && busbw < 0.01 ? fmt::format("{:.4f}", busbw) : rate_text(busbw);
}

std::string cell_text(const PairGrid& grid, const PairCell& cell) {
  if (cell.outcome != PairOutcome::kMeasured) return std::string(mark_of(cell.outcome).sign);
  if (grid.hosts.size() <= kMaxRateNodes) return cell_rate(cell.median);
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

}  // namespace

std::string draw_pairs(const Document& document, const PairGrid& grid) {
  const Layout layout = lay_out(grid.hosts);
  const bool has_text = grid.hosts.size() <= kMaxTextNodes;
  std::string drawn = fmt::format(
      R"(<div class="scroll" tabindex="0"><svg class="map{}" width="{}" height="{}" role="img" )"
      R"(aria-label="Bus bandwidth of each pair of nodes">)",
      grid.hosts.size() > 32              ? " tiny"
      : grid.hosts.size() > kMaxRateNodes ? " dense"
                                          : "",
      layout.left + layout.side() + 1, layout.top + layout.side() + 1);
  drawn += fmt::format(R"(<rect class="ground" x="{}" y="{}" width="{}" height="{}" rx="4"/>)"
                       R"(<path class="diagonal" d="M{} {}l{} {}"/>)",
                       layout.left, layout.top, layout.side(), layout.side(), layout.left,
                       layout.top, layout.side(), layout.side());
  drawn += has_text ? draw_cells_with_text(grid, layout) : draw_cells_as_strokes(grid, layout);
  return drawn + draw_names(document, grid.hosts, layout) + "</svg></div>";
}

}  // namespace muster::report
