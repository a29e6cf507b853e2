// The operations of the protocol, their numbers in both eras, and what follows each opcode.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::tcpstore {

// Which numbering a connection speaks; its first bytes tell (STORE.md).
enum class Era : std::uint8_t {
  kUnknown,
  kOld,  // PyTorch 1.11 to 2.0
  kNew,  // PyTorch 2.2 and later: begins with VALIDATE
};

// The values are the opcodes of the new era. kWatchKey exists in the old one only.
enum class Operation : std::uint8_t {
  kValidate = 0,
  kSet = 1,
  kCompareSet = 2,
  kGet = 3,
  kAdd = 4,
  kCheck = 5,
  kWait = 6,
  kCountKeys = 7,
  kDeleteKey = 8,
  kAppend = 9,
  kMultiGet = 10,
  kMultiSet = 11,
  kCancelWait = 12,
  kPing = 13,
  kQueuePush = 14,
  kQueuePop = 15,
  kQueueLength = 16,
  kListKeys = 17,
  kBarrier = 18,
  kWatchKey = 19,
};
inline constexpr std::size_t kOperations = 20;

inline constexpr std::uint32_t kValidateMagic = 0x3C85F7CE;

// Replies of one byte.
inline constexpr std::uint8_t kReady = 0;
inline constexpr std::uint8_t kNotReady = 1;
inline constexpr std::uint8_t kStopWaiting = 0;
inline constexpr std::uint8_t kWaitCanceled = 1;
inline constexpr std::uint8_t kKeyUpdated = 0;
inline constexpr std::uint8_t kKeyCreated = 1;
inline constexpr std::uint8_t kKeyDeleted = 2;
inline constexpr std::uint8_t kWatchRegistered = 3;

enum class Field : std::uint8_t {
  kKey,     // u64 length and the bytes, at most kMaxKey
  kValue,   // u64 length and the bytes, at most kMaxValue
  kWord,    // 4 bytes
  kNumber,  // 8 bytes
};

// What follows an opcode: `fields`, once; or a u64 count and as many times `fields`.
struct Shape {
  std::string_view name;  // as PyTorch calls the operation
  bool is_list = false;
  std::uint8_t size = 0;  // of `fields`
  std::array<Field, 3> fields{};
};
const Shape& shape_of(Operation operation);

// The operation behind an opcode; nothing when the era has none. `era` is not kUnknown.
std::optional<Operation> operation_of(Era era, std::uint8_t opcode);

}  // namespace muster::tcpstore
