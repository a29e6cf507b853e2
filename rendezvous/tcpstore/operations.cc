#include "rendezvous/tcpstore/operations.h"

namespace muster::tcpstore {

namespace {

using enum Field;

// In the order of Operation.
constexpr std::array<Shape, kOperations> kShapes{{
    {"VALIDATE", false, 1, {kWord}},
    {"SET", false, 2, {kKey, kValue}},
    {"COMPARE_SET", false, 3, {kKey, kValue, kValue}},
    {"GET", false, 1, {kKey}},
    {"ADD", false, 2, {kKey, kNumber}},
    {"CHECK", true, 1, {kKey}},
    {"WAIT", true, 1, {kKey}},
    {"GETNUMKEYS", false, 0, {}},
    {"DELETE_KEY", false, 1, {kKey}},
    {"APPEND", false, 2, {kKey, kValue}},
    {"MULTI_GET", true, 1, {kKey}},
    {"MULTI_SET", true, 2, {kKey, kValue}},
    {"CANCEL_WAIT", false, 0, {}},
    {"PING", false, 1, {kWord}},
    {"QUEUE_PUSH", false, 2, {kKey, kValue}},
    {"QUEUE_POP", false, 1, {kKey}},
    {"QUEUE_LEN", false, 1, {kKey}},
    {"LIST_KEYS", false, 0, {}},
    {"BARRIER", false, 2, {kKey, kNumber}},
    {"WATCH_KEY", false, 1, {kKey}},
}};

// The opcodes of the old era are the places in this list.
constexpr std::array kOldOperations{
    Operation::kSet,       Operation::kCompareSet, Operation::kGet,
    Operation::kAdd,       Operation::kCheck,      Operation::kWait,
    Operation::kCountKeys, Operation::kWatchKey,   Operation::kDeleteKey,
};

}  // namespace

const Shape& shape_of(Operation operation) {
  return kShapes[static_cast<std::size_t>(operation)];
}

std::optional<Operation> operation_of(Era era, std::uint8_t opcode) {
  if (era == Era::kOld) {
    if (opcode >= kOldOperations.size()) return std::nullopt;
    return kOldOperations[opcode];
  }
  if (opcode >= static_cast<std::uint8_t>(Operation::kWatchKey)) return std::nullopt;
  return static_cast<Operation>(opcode);
}

}  // namespace muster::tcpstore
