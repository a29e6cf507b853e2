// SeatSet: some of the expected members, as bits. Pure.
//
// A meeting nearly always has all of them, so that "all" is the empty text and costs nothing on the
// wire. Otherwise bit i of byte i / 8 is member i's, and the last byte is not zero.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "rendezvous/base/ids.h"

namespace muster::rendezvous {

class SeatSet {
 public:
  static SeatSet all() { return {}; }
  // `contains(member)` is asked for each of the `expected` members; at least one must be in.
  template <class Contains>
  static SeatSet of(std::size_t expected, Contains contains);
  // From the wire. A last byte of zero is not canonical: see is_canonical.
  static SeatSet from_bits(std::string bits) {
    SeatSet set;
    set.bits_ = std::move(bits);
    return set;
  }

  bool contains(MemberIndex member) const;
  const std::string& bits() const { return bits_; }
  static bool is_canonical(const std::string& bits) { return bits.empty() || bits.back() != '\0'; }

  bool operator==(const SeatSet&) const = default;

 private:
  std::string bits_;
};

template <class Contains>
SeatSet SeatSet::of(std::size_t expected, Contains contains) {
  SeatSet set;
  bool has_all = true;
  std::string bits((expected + 7) / 8, '\0');
  for (std::size_t i = 0; i < expected; ++i) {
    if (contains(MemberIndex{static_cast<std::uint32_t>(i)})) {
      bits[i / 8] = static_cast<char>(bits[i / 8] | (1 << (i % 8)));
    } else {
      has_all = false;
    }
  }
  while (!bits.empty() && bits.back() == '\0') bits.pop_back();
  if (!has_all) set.bits_ = std::move(bits);
  return set;
}

inline bool SeatSet::contains(MemberIndex member) const {
  const std::size_t place = value_of(member);
  if (bits_.empty()) return true;
  return place / 8 < bits_.size() && ((bits_[place / 8] >> (place % 8)) & 1) != 0;
}

}  // namespace muster::rendezvous
