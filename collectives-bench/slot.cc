#include "collectives-bench/slot.h"

#include <fmt/format.h>

#include <charconv>

namespace muster::bench {

namespace {

// Takes a number and the '/' behind it, which the last one lacks, off `text`.
template <class Number>
bool take_number(std::string_view& text, Number& number, bool last) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (last) return text.empty();
  if (!text.starts_with('/')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string print_slot_order(const SlotOrder& order) {
  return fmt::format("{}/{}/{}", order.slot.index, order.slot.count, order.parent);
}

Result<std::optional<SlotOrder>> find_slot_order(const Environment& environment) {
  const auto given = environment.get(kSlotVariable);
  if (!given) return std::optional<SlotOrder>();
  std::string_view rest = *given;
  SlotOrder order;
  const bool whole = take_number(rest, order.slot.index, false) &&
                     take_number(rest, order.slot.count, false) &&
                     take_number(rest, order.parent, true);
  if (whole && order.slot.index < order.slot.count && order.slot.count <= kMaxSlots &&
      order.parent > 0) {
    return std::optional(order);
  }
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("{}={}: expected SLOT/SLOTS/PID, which muster-bench -g sets for its "
                             "own children: unset it",
                             kSlotVariable, given->substr(0, 64)));
}

}  // namespace muster::bench
