// What is said about the health of a node: the coordinator asks the node's lead agent for a look,
// and gets facts. Values and their bytes; see messages.h. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/bytes.h"

namespace muster::launcher {

inline constexpr std::size_t kMaxHealthFacts = 256U << 10;  // bytes of one look
inline constexpr std::uint32_t kMaxSettings = 256;
inline constexpr std::int64_t kMaxWallUs = std::int64_t{1} << 53;  // in the year 2255

// Counts the looks of a job, so that a late answer is recognised.
enum class LookId : std::uint32_t {};

// --- coordinator to agent ---------------------------------------------------------------------

struct LookAtNode {
  LookId look{};

  bool operator==(const LookAtNode&) const = default;
};

// --- agent to coordinator ---------------------------------------------------------------------

struct NodeLooked {
  LookId look{};
  std::string facts;    // health::encode(HealthFacts); "" when there are none
  std::string problem;  // why there are none: "the look did not answer in 16 s"
  // "NAME=value" of the variables that steer NCCL and libfabric, see health::add_settings.
  std::vector<std::string> settings;
  // When the question came and when this left, by the node's wall clock: microseconds since 1970.
  // 0: not told.
  std::int64_t heard_us = 0;
  std::int64_t answered_us = 0;

  bool operator==(const NodeLooked&) const = default;
};

// --- bytes, without the kind ------------------------------------------------------------------

void write(ByteWriter& writer, const LookAtNode& message);
// Facts that are too long for a message become a problem; surplus settings are left out.
void write(ByteWriter& writer, const NodeLooked& message);

LookAtNode read_look_at_node(ByteReader& reader);
// Times that are negative or beyond kMaxWallUs are as if not told.
NodeLooked read_node_looked(ByteReader& reader);

}  // namespace muster::launcher
