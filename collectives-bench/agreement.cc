#include "collectives-bench/agreement.h"

#include <fmt/format.h>

#include <algorithm>

#include "rendezvous/base/bytes.h"

namespace muster::bench {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxPayload = 1u << 16;
constexpr std::uint8_t kLastCode = static_cast<std::uint8_t>(ErrorCode::kUnsupported);

struct Share {
  bool failed = false;
  ErrorCode code = ErrorCode::kSystem;
  std::string host;
  std::string bytes;  // the payload, or the error's text
};

std::string print_share(const std::string& host, const Result<std::string>& own) {
  ByteWriter writer;
  writer.u8(own ? 0 : 1).u8(own ? 0 : static_cast<std::uint8_t>(own.error().code()));
  writer.string(host.substr(0, kMaxText));
  writer.string(own ? *own : own.error().message().substr(0, kMaxText));
  return writer.take();
}

Result<Share> parse_share(std::string_view bytes) {
  ByteReader reader(bytes);
  Share share;
  share.failed = reader.u8() != 0;
  share.code = static_cast<ErrorCode>(std::min(reader.u8(), kLastCode));
  share.host = reader.string(kMaxText);
  share.bytes = reader.string(kMaxPayload);
  MUSTER_RETURN_IF_ERROR(reader.finish("share of a rank"));
  return share;
}

}  // namespace

Duration time_left(TimePoint deadline) {
  const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
  return std::max(left, Duration(1));
}

Result<std::vector<std::string>> gather_or_fail(Exchange& exchange, const std::string& host,
                                                const Result<std::string>& own,
                                                TimePoint deadline) {
  auto gathered = exchange.all_gather(print_share(host, own), time_left(deadline));
  // A rank that failed tells of itself, also where its peers could not be told.
  if (!own) return failure(own.error());
  if (!gathered) return failure(gathered.error());
  std::vector<std::string> payloads;
  payloads.reserve(gathered->size());
  for (std::size_t rank = 0; rank < gathered->size(); ++rank) {
    MUSTER_TRY(share, parse_share((*gathered)[rank]));
    if (share.failed) {
      return failure(share.code, fmt::format("rank {} ({}): {}", rank, share.host, share.bytes));
    }
    payloads.push_back(std::move(share.bytes));
  }
  return payloads;
}

Status agree(Exchange& exchange, const std::string& host, const Status& own, TimePoint deadline) {
  const Result<std::string> share =
      own ? Result<std::string>(std::string()) : Result<std::string>(failure(own.error()));
  MUSTER_RETURN_IF_ERROR(gather_or_fail(exchange, host, share, deadline));
  return {};
}

}  // namespace muster::bench
