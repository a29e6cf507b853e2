#include "collectives-bench/table.h"

#include <fmt/format.h>

namespace muster::bench {

namespace {

constexpr const char* kSideFormat = "{:>9}  {:>6}  {:>6}  {:>6}";

// Small times with more digits, as nccl-tests prints them, within seven columns.
std::string time_text(double microseconds) {
  if (microseconds >= 10000.0) return fmt::format("{:.0f}", microseconds);
  if (microseconds >= 100.0) return fmt::format("{:.1f}", microseconds);
  return fmt::format("{:.2f}", microseconds);
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

}  // namespace

std::string table_header() {
  const std::string columns = fmt::format(kSideFormat, "time", "algbw", "busbw", "#wrong");
  const std::string units = fmt::format(kSideFormat, "(us)", "(GB/s)", "(GB/s)", "");
  std::string text = fmt::format("# {:60}{:^36}{:^36}\n", "", "out-of-place", "in-place");
  text += fmt::format("# {:>12}  {:>12}  {:>8}  {:>6}  {:>6}   {}   {}\n", "size", "count", "type",
                      "redop", "root", columns, columns);
  text += fmt::format("# {:>12}  {:>12}  {:>8}  {:>6}  {:>6}   {}   {}\n", "(B)", "(elements)", "",
                      "", "", units, units);
  return text;
}

std::string table_row(const Row& row) {
  return fmt::format("  {:>12}  {:>12}  {:>8}  {:>6}  {:>6}   {}   {}\n", row.bytes, row.count,
                     "float", "sum", -1, side_text(row.out_of_place), side_text(row.in_place));
}

std::string table_footer(std::span<const Row> rows) {
  std::uint64_t wrong = 0;
  bool verified = !rows.empty();
  double sum = 0;
  for (const Row& row : rows) {
    verified = verified && row.out_of_place.wrong && row.in_place.wrong;
    wrong += row.out_of_place.wrong.value_or(0) + row.in_place.wrong.value_or(0);
    sum += row.out_of_place.busbw + row.in_place.busbw;
  }
  const double mean = rows.empty() ? 0.0 : sum / (2.0 * static_cast<double>(rows.size()));
  const char* judgement = wrong != 0 ? "FAILED" : verified ? "OK" : "NOT VERIFIED";
  return fmt::format("# Out of bounds values : {} {}\n# Avg bus bandwidth    : {:.4g}\n", wrong,
                     judgement, mean);
}

}  // namespace muster::bench
