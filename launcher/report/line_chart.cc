#include "launcher/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "launcher/report/text.h"

namespace muster::report {

namespace {

// Of the drawing, in its own units; the page scales it.
constexpr double kWidth = 380, kHeight = 232;
constexpr double kLeft = 50, kRight = 366, kTop = 22, kBottom = 196;
constexpr double kBandOverhang = 9;  // beside the first and the last point that has an expectation

struct Series {
  std::string operation;
  std::uint64_t nodes = 0;
  std::uint64_t ranks_per_node = 0;
  std::vector<Rate> points;  // ascending sizes
};

std::vector<Series> find_series(const Document& document) {
  std::map<std::tuple<std::string, std::uint64_t, std::uint64_t>, Series> found;
  for (const Rate& rate : document.rates) {
    if (rate.bytes == 0) continue;  // has no place on a scale of powers
    Series& series = found[{rate.operation, ~rate.nodes, rate.ranks_per_node}];
    series.operation = rate.operation;
    series.nodes = rate.nodes;
    series.ranks_per_node = rate.ranks_per_node;
    series.points.push_back(rate);
  }
  std::vector<Series> all;
  for (auto& [key, series] : found) {
    std::ranges::stable_sort(series.points, {}, &Rate::bytes);
    if (series.points.size() > kMaxPointsOfAChart) {
      const auto surplus = series.points.size() - kMaxPointsOfAChart;
      series.points.erase(series.points.begin(),
                          series.points.begin() + static_cast<std::ptrdiff_t>(surplus));
    }
    all.push_back(std::move(series));
  }
  return all;
}

double floor_of(const Rate& rate) {
  return rate.expected ? rate.expected->minimum.value_or(0) : 0;
}

double ceiling_of(const Rate& rate) {
  return rate.expected ? std::max(rate.expected->busbw.value_or(0), floor_of(rate)) : 0;
}

bool is_below(const Rate& rate) {
  return rate.busbw < floor_of(rate);
}

// --- scales ---

struct Scale {
  double low = 0, high = 1;     // log2 of the size
  double top = 1, step = 0.25;  // GB/s

  double x(std::uint64_t bytes) const {
    if (high <= low) return (kLeft + kRight) / 2;
    const double share = (std::log2(static_cast<double>(bytes)) - low) / (high - low);
    return kLeft + 14 + share * (kRight - kLeft - 28);
  }
  double y(double busbw) const { return kBottom - busbw / top * (kBottom - kTop); }
};

// 1, 2, 2.5 or 5 times a power of ten, so that about four lines reach `greatest`.
double nice_step(double greatest) {
  const double rough = greatest / 4;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (rough <= factor * power * 1.0001) return factor * power;
  }
  return 10 * power;
}

Scale scale_of(const std::vector<Rate>& points) {
  Scale scale;
  scale.low = std::log2(static_cast<double>(points.front().bytes));
  scale.high = std::log2(static_cast<double>(points.back().bytes));
  double greatest = 0;
  for (const Rate& point : points) greatest = std::max({greatest, point.busbw, ceiling_of(point)});
  if (greatest < 1e-9) return scale;  // nothing to see; any scale will do
  scale.step = nice_step(greatest);
  scale.top = std::ceil(greatest * 1.04 / scale.step) * scale.step;
  return scale;
}

// --- drawing ---

std::string draw_axes(const std::vector<Rate>& points, const Scale& scale) {
  std::string drawn;
  const int lines = static_cast<int>(std::lround(scale.top / scale.step));
  for (int i = 0; i <= lines; ++i) {
    const double y = scale.y(i * scale.step);
    drawn += fmt::format(R"(<path class="grid" d="M{} {:.1f}H{}"/>)", kLeft, y, kRight);
    drawn += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:.4g}</text>)",
                         kLeft - 7, y + 4, i * scale.step);
  }
  constexpr std::size_t kMostLabels = 5;
  const std::size_t every = (points.size() + kMostLabels - 1) / kMostLabels;
  std::uint64_t last = 0;
  for (std::size_t i = points.size(); i-- > 0;) {
    if ((points.size() - 1 - i) % every != 0 || points[i].bytes == last) continue;
    last = points[i].bytes;
    drawn += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)",
                         scale.x(last), kBottom + 18, bytes_text(last));
  }
  return drawn + fmt::format(R"(<text class="unit" x="{}" y="11">GB/s</text>)", 8);
}

// One shape for each stretch of points that have an expectation.
std::string draw_bands(const std::vector<Rate>& points, const Scale& scale) {
  std::string drawn;
  for (std::size_t begin = 0; begin < points.size(); ++begin) {
    if (ceiling_of(points[begin]) <= 0) continue;
    std::size_t end = begin;
    while (end + 1 < points.size() && ceiling_of(points[end + 1]) > 0) ++end;
    std::string upper;
    std::string lower;
    for (std::size_t i = begin; i <= end; ++i) {
      for (const double shift :
           {i == begin ? -kBandOverhang : 0.0, i == end ? kBandOverhang : 0.0}) {
        const double x = scale.x(points[i].bytes) + shift;
        upper += fmt::format("{:.1f} {:.1f} ", x, scale.y(ceiling_of(points[i])));
        lower.insert(0, fmt::format("{:.1f} {:.1f} ", x, scale.y(floor_of(points[i]))));
      }
    }
    drawn += fmt::format(R"(<path class="band" d="M{}L{}Z"/>)", upper, lower);
    drawn += fmt::format(R"(<path class="floor" d="M{}"/>)", lower);
    begin = end;
  }
  return drawn;
}

std::string draw_points(const std::vector<Rate>& points, const Scale& scale) {
  std::string line;
  std::string marks;
  for (const Rate& point : points) {
    const double x = scale.x(point.bytes);
    const double y = scale.y(point.busbw);
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x, y);
    const std::string title =
        fmt::format("{}: {} GB/s{}", bytes_text(point.bytes), rate_text(point.busbw),
                    is_below(point) ? ", below the minimum" : "");
    if (is_below(point)) {
      marks += fmt::format(
          R"(<path class="below" d="M{:.1f} {:.1f}l-5.5 -9h11z"><title>{}</title></path>)", x,
          y + 5, title);
    } else {
      marks += fmt::format(
          R"(<circle class="point" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>)", x, y,
          title);
    }
  }
  const Rate& last = points.back();
  const double y = scale.y(last.busbw);
  return fmt::format(R"(<path class="line" d="{}"/>{})", line, marks) +
         fmt::format(R"(<text class="value{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}{}</text>)",
                     is_below(last) ? " bad" : "",
                     scale.x(last.bytes) + (points.size() > 1 ? 8 : 0), y - 9,
                     points.size() > 1 ? "end" : "middle", is_below(last) ? "▼ " : "",
                     rate_text(last.busbw));
}

// --- words ---

std::string title_of(const Document& document, const Series& series) {
  std::string title = series.operation.empty() ? "" : escape(series.operation) + ", ";
  if (series.nodes == 1) {
    title += "inside each node";
  } else if (series.nodes == 2 && document.nodes.size() != 2) {
    title += "between pairs of nodes";
  } else if (series.nodes == 0) {
    title += document.nodes.size() == 1 ? "the node" : "all nodes";
  } else {
    title += fmt::format("over {} nodes", series.nodes);
  }
  if (series.ranks_per_node == 0) return title;
  return title + fmt::format("<span class=\"note\">{} a node</span>",
                             count_text(series.ranks_per_node, "rank"));
}

std::string kind_text(const std::string& kind) {
  if (kind == "recorded") return "recorded baseline";
  if (kind == "published") return "published figure";
  if (kind == "minimum") return "the user’s minimum";
  return escape(kind);
}

std::string print_band_words(const Series& series) {
  const auto last = std::find_if(series.points.rbegin(), series.points.rend(),
                                 [](const Rate& point) { return ceiling_of(point) > 0; });
  if (last == series.points.rend()) return R"(<p class="note">Nothing is expected of it.</p>)";
  std::string range = floor_of(*last) > 0 ? rate_text(floor_of(*last)) : "0";
  if (ceiling_of(*last) > floor_of(*last)) range += " to " + rate_text(ceiling_of(*last));
  std::string words = fmt::format(
      R"(<p class="note"><svg class="swatch" width="22" height="14" aria-hidden="true"><rect )"
      R"(class="band" width="22" height="14"/><path class="floor" d="M0 13H22"/></svg>expected, )"
      "{}: {} GB/s at {}",
      kind_text(last->expected->kind), range, bytes_text(last->bytes));
  if (!last->expected->source.empty()) words += " (" + escape(last->expected->source) + ")";
  const auto below = std::ranges::count_if(series.points, is_below);
  if (below == 0) return words + "</p>";
  return words + fmt::format("</p><p class=\"bad\">▼ {} of {} below the minimum</p>", below,
                             count_text(series.points.size(), "size"));
}

std::string print_numbers(const Series& series) {
  std::string rows;
  for (const Rate& point : series.points) {
    const auto figure = [](double value) { return value > 0 ? rate_text(value) : "–"; };
    rows += fmt::format(
        R"(<tr><td class="num">{}</td><td class="num">{}{}</td><td class="num">{}</td>)"
        R"(<td class="num">{}</td></tr>)",
        bytes_text(point.bytes), is_below(point) ? "▼ " : "", rate_text(point.busbw),
        figure(floor_of(point)), figure(point.expected ? point.expected->busbw.value_or(0) : 0));
  }
  return R"(<details><summary>Numbers</summary><div class="scroll" tabindex="0"><table><thead><tr>)"
         R"(<th class="num">size</th><th class="num">GB/s</th><th class="num">minimum</th>)"
         R"(<th class="num">expected</th></tr></thead><tbody>)" +
         rows + "</tbody></table></div></details>";
}

std::string print_chart(const Document& document, const Series& series) {
  const Scale scale = scale_of(series.points);
  return fmt::format(R"(<figure><figcaption>{}</figcaption><svg class="chart" )"
                     R"(viewBox="0 0 {} {}" role="img" aria-label="Bus bandwidth by size">)",
                     title_of(document, series), kWidth, kHeight) +
         draw_axes(series.points, scale) + draw_bands(series.points, scale) +
         draw_points(series.points, scale) + "</svg>" + print_band_words(series) +
         print_numbers(series) + "</figure>";
}

}  // namespace

std::string print_line_charts(const Document& document) {
  const std::vector<Series> all = find_series(document);
  if (all.empty()) return "";
  std::string section = "<section><h2>Bus bandwidth by size</h2>";
  section += "<div class=\"charts\">";
  for (std::size_t i = 0; i < all.size() && i < kMaxCharts; ++i) {
    section += print_chart(document, all[i]);
  }
  section += "</div>";
  if (all.size() > kMaxCharts) {
    section +=
        fmt::format("<p class=\"note\">and {} more in the document</p>", all.size() - kMaxCharts);
  }
  return section + "</section>";
}

}  // namespace muster::report
