// Fault: misbehaviour on order, for tests of what watches a check gang. Never set it elsewhere.
//
// MUSTER_BENCH_FAULT=KIND:RANK. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::bench {

enum class FaultKind {
  kNone,
  kCorrupt,  // flips one bit of that rank's result before it is verified
  kStop,     // stops that rank (SIGSTOP) in the middle of its second collective
  kCrash,    // ends that rank (SIGKILL) there
};

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::uint32_t rank = 0;

  bool strikes(FaultKind asked, std::uint32_t own_rank) const {
    return kind == asked && rank == own_rank;
  }
  bool operator==(const Fault&) const = default;
};

Result<Fault> parse_fault(std::string_view text);  // "" is no fault

}  // namespace muster::bench
