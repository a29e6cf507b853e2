// Slot: which of the processes of one task this is, where a task drives several GPUs (-g N). Pure.
//
// The started process is then the parent of N of the same program, a rank each. It tells every one
// its slot, and its own pid, in one variable; all else a child finds out as a task of -g 1 does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr const char* kSlotVariable = "MUSTER_BENCH_SLOT";
inline constexpr std::uint32_t kMaxSlots = 256;  // of one task

struct Slot {
  std::uint32_t index = 0;
  std::uint32_t count = 1;

  bool operator==(const Slot&) const = default;
};

struct SlotOrder {
  Slot slot;
  std::int64_t parent = 0;  // pid of who gave it

  bool operator==(const SlotOrder&) const = default;
};

std::string print_slot_order(const SlotOrder& order);  // "2/8/4711"

// Empty in a process that was given none; kInvalidArgument when the variable holds something else.
Result<std::optional<SlotOrder>> find_slot_order(const Environment& environment);

}  // namespace muster::bench
