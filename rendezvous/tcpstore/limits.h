// Limits of the workers' door: every number a client can choose has one here. STORE.md lists them,
// and a test compares.
#pragma once

#include <cstddef>
#include <cstdint>

namespace muster::tcpstore {

// One request.
inline constexpr std::size_t kMaxKey = 8 * 1024;                 // bytes, as PyTorch's own server
inline constexpr std::size_t kMaxValue = 8 * 1024 * 1024;        // bytes, as PyTorch's own server
inline constexpr std::uint64_t kMaxKeysPerRequest = 128 * 1024;  // as PyTorch's own server
inline constexpr std::size_t kMaxRequest = 256 * 1024 * 1024;    // bytes, the opcode included

// One connection.
inline constexpr std::size_t kMaxBacklog = 256 * 1024 * 1024;  // bytes of replies not yet taken
inline constexpr std::size_t kMaxWatches = 1024;               // keys watched

// The whole store.
inline constexpr std::size_t kMaxAppended = kMaxBacklog / 2;       // bytes APPEND makes of a value
inline constexpr std::size_t kMaxKeys = 4 * 1024 * 1024;           // set, queued or waited for
inline constexpr std::size_t kMaxStoreBytes = 1024 * 1024 * 1024;  // keys, values, queued items
inline constexpr std::size_t kMaxQueuedItems = 1024 * 1024;
inline constexpr std::size_t kMaxWaits = 2 * 1024 * 1024;  // pairs of client and missing key

// What a store may hold; a test chooses less.
struct StoreLimits {
  std::size_t keys = kMaxKeys;
  std::size_t bytes = kMaxStoreBytes;
  std::size_t queued_items = kMaxQueuedItems;
  std::size_t waits = kMaxWaits;
  std::size_t watches_per_client = kMaxWatches;
  std::size_t backlog = kMaxBacklog;
};

}  // namespace muster::tcpstore
