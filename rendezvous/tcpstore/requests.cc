#include "rendezvous/tcpstore/requests.h"

namespace muster::tcpstore {

namespace {

FieldList list_of(FieldReader& fields) {
  const auto count = fields.number<std::uint64_t>();
  return {count, fields.rest()};
}

}  // namespace

Request read_request(Operation operation, std::string_view checked) {
  FieldReader fields(checked);
  // Braces evaluate from left to right: the fields are read in the order of the wire.
  switch (operation) {
    case Operation::kValidate:
      return Validate{fields.number<std::uint32_t>()};
    case Operation::kSet:
      return Set{fields.string(), fields.string()};
    case Operation::kCompareSet:
      return CompareSet{fields.string(), fields.string(), fields.string()};
    case Operation::kGet:
      return Get{fields.string()};
    case Operation::kAdd:
      return Add{fields.string(), fields.number<std::int64_t>()};
    case Operation::kCheck:
      return Check{list_of(fields)};
    case Operation::kWait:
      return Wait{list_of(fields)};
    case Operation::kCountKeys:
      return CountKeys{};
    case Operation::kDeleteKey:
      return DeleteKey{fields.string()};
    case Operation::kAppend:
      return Append{fields.string(), fields.string()};
    case Operation::kMultiGet:
      return MultiGet{list_of(fields)};
    case Operation::kMultiSet:
      return MultiSet{list_of(fields)};
    case Operation::kCancelWait:
      return CancelWait{};
    case Operation::kPing:
      return Ping{fields.number<std::uint32_t>()};
    case Operation::kQueuePush:
      return QueuePush{fields.string(), fields.string()};
    case Operation::kQueuePop:
      return QueuePop{fields.string()};
    case Operation::kQueueLength:
      return QueueLength{fields.string()};
    case Operation::kListKeys:
      return ListKeys{};
    case Operation::kBarrier:
      return Barrier{fields.string(), fields.number<std::int64_t>()};
    case Operation::kWatchKey:
      break;
  }
  return WatchKey{fields.string()};
}

}  // namespace muster::tcpstore
