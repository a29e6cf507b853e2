// Operation: the collectives that can be measured, named and counted as nccl-tests does. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::bench {

enum class Operation : std::uint8_t {
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kBroadcast,
  kReduce,
  kAllToAll,
  kSendRecv,  // a ring: to the next rank, from the one before
  kPingPong,  // a rank of the first half and its partner of the second: there, then back
};

inline constexpr std::array kOperations = {
    Operation::kAllReduce, Operation::kAllGather, Operation::kReduceScatter, Operation::kBroadcast,
    Operation::kReduce,    Operation::kAllToAll,  Operation::kSendRecv,      Operation::kPingPong,
};

std::string_view to_string(Operation operation);  // "all_reduce"; static

// "all_reduce", or the program that nccl-tests has for it, "all_reduce_perf", with or without a
// path before it. kInvalidArgument lists what there is.
Result<Operation> parse_operation(std::string_view word);

bool reduces(Operation operation);
bool has_root(Operation operation);
bool runs_in_place(Operation operation);  // alltoall and the pairs read what they would overwrite

// One-way trips one after another in one operation: 2 of a pingpong, whose time is that of one.
std::uint32_t trips_of(Operation operation);

// With whom a rank plays pingpong: r with r + ranks / 2, so that two nodes meet local rank by local
// rank. Nobody for the last of an odd number; itself where it is alone.
std::optional<std::size_t> pingpong_partner(std::size_t rank, std::size_t ranks);

// False for a rank that has nothing to do: its time says nothing.
bool takes_part(Operation operation, std::size_t rank, std::size_t ranks);

// What is run: `count` elements as NCCL's call counts them (a rank's part, where there are parts).
struct Collective {
  Operation operation = Operation::kAllReduce;
  std::uint32_t root = 0;  // of broadcast and reduce
  std::size_t count = 0;

  bool operator==(const Collective&) const = default;
};

// Elements that one rank puts in and gets out. The larger is the size that the table shows.
struct Shape {
  std::size_t input = 0;
  std::size_t output = 0;

  std::size_t larger() const { return input > output ? input : output; }
  bool operator==(const Shape&) const = default;
};

Shape shape_of(const Collective& collective, std::size_t ranks);

// The count for a buffer of `bytes`: where it is cut into a part a rank, whole parts of a multiple
// of 16 bytes. 0 when nothing is left.
std::size_t count_for(Operation operation, std::uint64_t bytes, std::size_t ranks);

}  // namespace muster::bench
