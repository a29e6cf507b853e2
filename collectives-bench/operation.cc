#include "collectives-bench/operation.h"

#include <fmt/format.h>

#include "collectives-bench/sizes.h"
#include "rendezvous/base/check.h"

namespace muster::bench {

namespace {

constexpr std::size_t kPartBytes = 16;  // parts are multiples of it, as in nccl-tests

bool is_cut_into_parts(Operation operation) {
  return operation == Operation::kAllGather || operation == Operation::kReduceScatter ||
         operation == Operation::kAllToAll;
}

}  // namespace

std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::kAllReduce:
      return "all_reduce";
    case Operation::kAllGather:
      return "all_gather";
    case Operation::kReduceScatter:
      return "reduce_scatter";
    case Operation::kBroadcast:
      return "broadcast";
    case Operation::kReduce:
      return "reduce";
    case Operation::kAllToAll:
      return "alltoall";
    case Operation::kSendRecv:
      return "sendrecv";
    case Operation::kPingPong:
      return "pingpong";
  }
  return "unknown";
}

Result<Operation> parse_operation(std::string_view word) {
  std::string_view name = word.substr(word.find_last_of('/') + 1);
  if (name.ends_with("_perf")) name.remove_suffix(5);
  std::string known;
  for (const Operation operation : kOperations) {
    if (to_string(operation) == name) return operation;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(operation));
  }
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("operation '{}': expected one of {}", word.substr(0, 64), known));
}

bool reduces(Operation operation) {
  return operation == Operation::kAllReduce || operation == Operation::kReduceScatter ||
         operation == Operation::kReduce;
}

bool has_root(Operation operation) {
  return operation == Operation::kBroadcast || operation == Operation::kReduce;
}

bool runs_in_place(Operation operation) {
  return operation != Operation::kAllToAll && operation != Operation::kSendRecv &&
         operation != Operation::kPingPong;
}

std::uint32_t trips_of(Operation operation) {
  return operation == Operation::kPingPong ? 2 : 1;
}

std::optional<std::size_t> pingpong_partner(std::size_t rank, std::size_t ranks) {
  if (ranks == 1) return rank;
  const std::size_t half = ranks / 2;
  if (rank >= 2 * half) return std::nullopt;
  return rank < half ? rank + half : rank - half;
}

bool takes_part(Operation operation, std::size_t rank, std::size_t ranks) {
  return operation != Operation::kPingPong || pingpong_partner(rank, ranks).has_value();
}

Shape shape_of(const Collective& collective, std::size_t ranks) {
  const std::size_t count = collective.count;
  switch (collective.operation) {
    case Operation::kAllGather:
      return {count, count * ranks};
    case Operation::kReduceScatter:
      return {count * ranks, count};
    case Operation::kAllToAll:
      return {count * ranks, count * ranks};
    case Operation::kAllReduce:
    case Operation::kBroadcast:
    case Operation::kReduce:
    case Operation::kSendRecv:
    case Operation::kPingPong:
      return {count, count};
  }
  return {};
}

std::size_t count_for(Operation operation, std::uint64_t bytes, std::size_t ranks) {
  MUSTER_CHECK(ranks > 0);
  const std::size_t elements = bytes / kElementBytes;
  if (!is_cut_into_parts(operation)) return elements;
  constexpr std::size_t kPart = kPartBytes / kElementBytes;
  return elements / ranks / kPart * kPart;
}

}  // namespace muster::bench
