#include "collectives-bench/fault.h"

#include <fmt/format.h>

#include <charconv>

namespace muster::bench {

Result<Fault> parse_fault(std::string_view text) {
  if (text.empty()) return Fault{};
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  Fault fault;
  if (kind == "corrupt") fault.kind = FaultKind::kCorrupt;
  if (kind == "stop") fault.kind = FaultKind::kStop;
  if (kind == "crash") fault.kind = FaultKind::kCrash;
  if (colon != std::string_view::npos && fault.kind != FaultKind::kNone) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, fault.rank);
    if (error == std::errc{} && rest == end) return fault;
  }
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("MUSTER_BENCH_FAULT={}: expected corrupt:RANK, stop:RANK or "
                             "crash:RANK",
                             text));
}

}  // namespace muster::bench
