#include "collectives-bench/profile/profile.h"

#include <algorithm>
#include <cmath>

namespace muster::bench {

namespace {

struct Figure {
  double busbw = 0;
  const BusbwPoint* point = nullptr;  // whose source stands for it
  bool is_estimate = false;
};

std::optional<Figure> figure_at(const BusbwRow& row, std::uint64_t bytes) {
  const auto above = std::lower_bound(
      row.points.begin(), row.points.end(), bytes,
      [](const BusbwPoint& point, std::uint64_t size) { return point.bytes < size; });
  if (above == row.points.end()) {
    if (row.points.empty()) return std::nullopt;
    return Figure{row.points.back().busbw, &row.points.back(), true};
  }
  if (above->bytes == bytes) return Figure{above->busbw, &*above, false};
  if (above == row.points.begin()) return std::nullopt;
  const BusbwPoint& below = *(above - 1);
  if (above->follows_step) return Figure{below.busbw, &below, true};
  const double low = std::log2(static_cast<double>(below.bytes));
  const double high = std::log2(static_cast<double>(above->bytes));
  const double share = (std::log2(static_cast<double>(bytes)) - low) / (high - low);
  return Figure{below.busbw + share * (above->busbw - below.busbw), &below, true};
}

ExpectedBusbw expectation(const Profile& profile, const BusbwRow& row, const Figure& figure) {
  const auto source = profile.sources.find(figure.point->source);
  return {.busbw = figure.busbw,
          .minimum = figure.busbw * (1.0 - row.tolerance),
          .kind = row.kind,
          .is_estimate = figure.is_estimate,
          .nodes = row.nodes,
          .algorithm = row.algorithm,
          .source = source != profile.sources.end() ? source->second : figure.point->source};
}

bool is_candidate(const BusbwRow& row, const BusbwQuery& query) {
  return row.operation == query.operation && row.ranks_per_node == query.ranks_per_node &&
         (row.nodes == 1) == (query.nodes == 1) &&
         (query.algorithm.empty() || row.algorithm.empty() || row.algorithm == query.algorithm);
}

// The first of the best: a recorded one before a published one.
std::optional<ExpectedBusbw> find_for_nodes(const Profile& profile, const BusbwQuery& query,
                                            std::uint32_t nodes) {
  std::optional<ExpectedBusbw> found;
  for (const BusbwRow& row : profile.busbw) {
    if (row.nodes != nodes || !is_candidate(row, query)) continue;
    if (found && (found->kind == FigureKind::kRecorded || row.kind == found->kind)) continue;
    if (const auto figure = figure_at(row, query.bytes)) found = expectation(profile, row, *figure);
  }
  return found;
}

std::optional<std::uint32_t> nearest_row(const Profile& profile, const BusbwQuery& query,
                                         bool below) {
  std::optional<std::uint32_t> nearest;
  for (const BusbwRow& row : profile.busbw) {
    if (!is_candidate(row, query) || (below ? row.nodes > query.nodes : row.nodes < query.nodes)) {
      continue;
    }
    if (!nearest || (below ? row.nodes > *nearest : row.nodes < *nearest)) nearest = row.nodes;
  }
  return nearest;
}

}  // namespace

std::string_view to_string(FigureKind kind) {
  return kind == FigureKind::kRecorded ? "recorded" : "published";
}

std::optional<ExpectedBusbw> expect_busbw(const Profile& profile, const BusbwQuery& query) {
  const auto below = nearest_row(profile, query, true);
  if (!below) return std::nullopt;
  std::optional<ExpectedBusbw> found = find_for_nodes(profile, query, *below);
  if (*below == query.nodes) return found;
  if (const auto above = nearest_row(profile, query, false)) {
    const std::optional<ExpectedBusbw> other = find_for_nodes(profile, query, *above);
    if (found && other && other->minimum < found->minimum) found = other;
  }
  if (found) found->is_estimate = true;
  return found;
}

}  // namespace muster::bench
