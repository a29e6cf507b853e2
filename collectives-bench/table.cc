#include "collectives-bench/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "rendezvous/base/check.h"

namespace muster::bench {

namespace {

constexpr const char* kSideFormat = "{:>9}  {:>6}  {:>6}  {:>6}";
constexpr const char* kNicFormat = "{:<14} ";
constexpr const char* kStatisticsFormat = "{:>9}  {:>9}  {:>6}  {:>7}";

// As many digits as fit into seven columns, two behind the point at most, as nccl-tests prints
// them.
std::string time_text(double microseconds) {
  for (const int digits : {2, 1}) {
    std::string text = fmt::format("{:.{}f}", microseconds, digits);
    if (text.size() <= 7) return text;
  }
  return fmt::format("{:.0f}", microseconds);
}

// Two digits behind the point as nccl-tests has them, more where that would show nothing.
std::string bandwidth_text(double gigabytes_a_second) {
  const bool tiny = gigabytes_a_second > 0.0 && gigabytes_a_second < 0.1;
  return tiny ? fmt::format("{:.4f}", gigabytes_a_second)
              : fmt::format("{:.2f}", gigabytes_a_second);
}

std::string side_text(const Measured& side) {
  return fmt::format(kSideFormat, time_text(side.mean_us), bandwidth_text(side.algbw),
                     bandwidth_text(side.busbw),
                     side.wrong ? std::to_string(*side.wrong) : std::string("N/A"));
}

std::string absent_side_text() {
  return fmt::format(kSideFormat, "N/A", "N/A", "N/A", "N/A");
}

std::string statistics_text(const Measured& side) {
  if (!side.iterations) return fmt::format(kStatisticsFormat, "N/A", "N/A", "N/A", "N/A");
  return fmt::format(kStatisticsFormat, time_text(side.iterations->p50_us),
                     time_text(side.iterations->p99_us),
                     fmt::format("{:.1f}", side.iterations->cv * 100),
                     side.slowest_rank ? std::to_string(*side.slowest_rank) : std::string("N/A"));
}

std::string label_text(const Row& row, const TableStyle& style) {
  return fmt::format("  {:>12}  {:>12}  {:>8}  {:>6}  {:>6}", row.bytes, row.count, "float",
                     reduces(style.operation) ? "sum" : "none",
                     has_root(style.operation) ? std::to_string(style.root) : std::string("-1"));
}

std::string label_header() {
  return fmt::format("# {:>12}  {:>12}  {:>8}  {:>6}  {:>6}", "size", "count", "type", "redop",
                     "root");
}

std::string label_units() {
  return fmt::format("# {:>12}  {:>12}  {:>8}  {:>6}  {:>6}", "(B)", "(elements)", "", "", "");
}

std::uint64_t wrong_in(const Row& row) {
  return row.out_of_place.wrong.value_or(0) + row.in_place.wrong.value_or(0);
}

bool is_verified(const Row& row) {
  return row.out_of_place.wrong && (row.in_place.wrong || !row.has_in_place);
}

}  // namespace

std::string table_header(const TableStyle& style) {
  const std::string columns = fmt::format(kSideFormat, "time", "algbw", "busbw", "#wrong");
  const std::string units = fmt::format(kSideFormat, "(us)", "(GB/s)", "(GB/s)", "");
  std::string text = fmt::format("# {:60}{:^36}{:^36}\n", "", "out-of-place", "in-place");
  std::string more;
  std::string more_units;
  if (style.statistics) {
    more = "   " + fmt::format(kStatisticsFormat, "p50", "p99", "cv", "slowest");
    more_units = "   " + fmt::format(kStatisticsFormat, "(us)", "(us)", "(%)", "rank");
  }
  if (style.nics) more += "   nic";
  text += fmt::format("{}   {}   {}{}\n", label_header(), columns, columns, more);
  text += fmt::format("{}   {}   {}{}\n", label_units(), units, units, more_units);
  return text;
}

std::string table_row(const Row& row, const TableStyle& style) {
  return fmt::format("{}   {}   {}{}{}\n", label_text(row, style), side_text(row.out_of_place),
                     row.has_in_place ? side_text(row.in_place) : absent_side_text(),
                     style.statistics ? "   " + statistics_text(row.out_of_place) : std::string(),
                     style.nics ? "   " + row.nic : std::string());
}

std::string table_half_row(const Row& row, const TableStyle& style) {
  return fmt::format("{}   {}   {}\n", label_text(row, style), side_text(row.out_of_place),
                     fmt::format(kSideFormat, "...", "...", "...", "..."));
}

std::string table_footer(std::span<const Row> rows) {
  std::uint64_t wrong = 0;
  bool verified = !rows.empty();
  double sum = 0;
  std::size_t sides = 0;
  for (const Row& row : rows) {
    verified = verified && is_verified(row);
    wrong += wrong_in(row);
    sum += row.out_of_place.busbw + row.in_place.busbw;
    sides += row.has_in_place ? 2 : 1;
  }
  const double mean = rows.empty() ? 0.0 : sum / static_cast<double>(sides);
  const char* judgement = wrong != 0 ? "FAILED" : verified ? "OK" : "NOT VERIFIED";
  return fmt::format("# Out of bounds values : {} {}\n# Avg bus bandwidth    : {:g}\n", wrong,
                     judgement, mean);
}

std::string split_table_header(const TableStyle& style) {
  const std::string columns = fmt::format(kSideFormat, "min", "median", "max", "#wrong");
  const std::string units = fmt::format(kSideFormat, "(GB/s)", "(GB/s)", "(GB/s)", "");
  return fmt::format("# {:57}{:^36}\n{}   {}   {}slowest group\n{}   {}\n", "",
                     "busbw of the groups", label_header(), columns,
                     style.nics ? fmt::format(kNicFormat, "nic") : "", label_units(), units);
}

std::string split_table_row(std::span<const Group> groups, std::span<const Row> rows,
                            const TableStyle& style) {
  MUSTER_CHECK(!rows.empty() && groups.size() == rows.size());
  const bool any_several = std::any_of(groups.begin(), groups.end(),
                                       [](const Group& group) { return group.ranks.size() > 1; });
  std::vector<double> speeds;
  std::uint64_t wrong = 0;
  std::optional<std::size_t> slowest;
  bool verified = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    wrong += wrong_in(rows[i]);
    verified = verified && is_verified(rows[i]);
    if (any_several && groups[i].ranks.size() < 2) continue;
    speeds.push_back(rows[i].out_of_place.busbw);
    if (!slowest || speeds.back() < rows[*slowest].out_of_place.busbw) slowest = i;
  }
  std::sort(speeds.begin(), speeds.end());
  const std::size_t middle = speeds.size() / 2;
  const double median =
      speeds.size() % 2 == 1 ? speeds[middle] : (speeds[middle - 1] + speeds[middle]) / 2;
  const std::string sides = fmt::format(kSideFormat, bandwidth_text(speeds.front()),
                                        bandwidth_text(median), bandwidth_text(speeds.back()),
                                        verified ? std::to_string(wrong) : std::string("N/A"));
  return fmt::format("{}   {}   {}{}\n", label_text(rows.front(), style), sides,
                     style.nics ? fmt::format(kNicFormat, rows.front().nic) : "",
                     groups[*slowest].name);
}

}  // namespace muster::bench
