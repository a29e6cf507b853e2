// What check gangs, GPU probes and workers leave behind: muster-bench's report, the probe's report,
// error files, tracebacks, and text that goes to a terminal.
//
//   input = u8 what | bytes
#include <cmath>

#include "collectives-bench/report.h"
#include "launcher/health/gpu_report.h"
#include "launcher/verdict/error_file.h"
#include "launcher/verdict/printable.h"
#include "launcher/verdict/traceback.h"
#include "tests/fuzz/input.h"

namespace {

void read_bench_report(std::string_view text) {
  using namespace muster::bench;
  const auto report = parse_report(text);
  if (!report) return;
  FUZZ_REQUIRE(report->rows.size() <= kMaxReportRows);
  for (const Row& row : report->rows) FUZZ_REQUIRE(std::isfinite(row.out_of_place.busbw));
  const std::string printed = print_report(*report);
  FUZZ_REQUIRE(printed.find('\n') == std::string::npos);
  const auto again = parse_report(printed);
  FUZZ_REQUIRE(again);
  FUZZ_REQUIRE(print_report(*again) == printed);
}

void read_gpu_report(std::string_view bytes) {
  using namespace muster::health;
  const auto report = parse_gpu_report(bytes);
  if (!report) return;
  FUZZ_REQUIRE(report->uuids.size() <= kMaxGpus);
  FUZZ_REQUIRE(parse_gpu_report(encode(*report)) == report);
}

void read_worker_words(std::string_view text) {
  using namespace muster::verdict;
  constexpr std::size_t kLimit = 40;
  const std::string line = printable_line(text, kLimit);
  FUZZ_REQUIRE(line.size() <= kLimit);
  for (const char byte : line)
    FUZZ_REQUIRE(static_cast<unsigned char>(byte) >= ' ' && byte != '\x7f');
  const std::vector<std::string> lines = split_lines(text);
  const auto found = find_last_traceback(lines);
  if (found) FUZZ_REQUIRE(found->first < lines.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muster::fuzz::Input input(data, size);
  const std::uint8_t what = input.u8();
  const std::string_view bytes = input.rest();
  switch (what % 4) {
    case 0:
      read_bench_report(bytes);
      break;
    case 1:
      read_gpu_report(bytes);
      break;
    case 2:
      static_cast<void>(muster::verdict::parse_error_file(bytes));
      break;
    case 3:
      read_worker_words(bytes);
      break;
  }
  return 0;
}
