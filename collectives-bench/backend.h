// Backend: one way to run collectives, in a module loaded at run time.
//
// A module is a shared object that exports muster_bench_backend(). It is built together with the
// program: C++ types cross the border, so the first fields of its table must be exactly ours. The
// program owns the backend and ends it before the exchange; all calls come from one thread, and
// every call that can wait takes a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/exchange.h"
#include "collectives-bench/nccl_lines.h"
#include "collectives-bench/operation.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

// Who this process is.
struct Seat {
  std::uint32_t rank = 0;
  std::uint32_t size = 1;
  std::uint32_t node = 0;
  std::uint32_t nodes = 1;
  std::uint32_t local_rank = 0;  // among the ranks of its node
  std::uint32_t local_size = 1;
  std::uint32_t slot = 0;   // among the ranks of its task, which all see the same GPUs
  std::uint32_t slots = 1;  // of that task
  std::string host;
  std::string address;  // numeric, by which the others reach this node; "" when not known

  bool operator==(const Seat&) const = default;
};

enum class Placement { kOutOfPlace, kInPlace };

// How the fabric moves data: messages that the receiver has asked for, or writes into its memory.
enum class Transport { kTagged, kRma };

struct BackendOptions {
  Seat seat;
  std::uint64_t max_bytes = 0;  // of one buffer
  std::string interface;        // "" lets the backend choose
  std::string nccl_library;     // file; "" lets the loader search
  Transport transport = Transport::kTagged;
  std::string nic;         // "" lets the backend choose; "each", "all" or a device's name
  bool times_each = true;  // ask for Timing::each_us where it is not free
  // Ask for BackendFacts::algorithm where that is not free: NCCL writes a line for every operation,
  // which takes microseconds.
  bool tells_algorithm = false;
};

struct BackendFacts {
  std::string library;
  std::string path;
  std::string network;
  std::string device;
  // With BackendOptions::nic, what is measured in turns, alike in number on all ranks: each
  // device's name, or one for all together.
  std::vector<std::string> nics;
  double context_seconds = 0;                    // of open(): driver, libraries, context, memory
  std::string algorithm = {};                    // "Ring", "NVLS"; "" when it was not told
  std::optional<NcclFacts> nccl = std::nullopt;  // what NCCL told of itself
};

inline constexpr std::uint32_t kMaxSamples = 4096;  // of one measurement

struct Timing {
  std::chrono::nanoseconds total{};  // wall clock, from the first operation to the end of the last
  std::vector<double> each_us;       // of the first kMaxSamples; empty where they were not taken
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Collective. Finds library and device, connects all ranks. An error of one rank reaches all.
  virtual Result<BackendFacts> open(const BackendOptions& options, Exchange& exchange,
                                    TimePoint deadline) = 0;

  // From here on moves data by facts().nics[place]. Alike on all ranks, between operations.
  virtual void use_nic(std::size_t) {}

  // Collective. After a barrier, runs `iterations` of them (float, sum) back to back and waits for
  // the last. In place only where runs_in_place(); count > 0 and within max_bytes. kTimeout names
  // what was waited for.
  virtual Result<Timing> measure(const Collective& collective, Placement placement,
                                 std::uint32_t iterations, TimePoint deadline) = 0;

  // Collective. Fills the buffers with data whose result is known, runs it once, and gives the
  // number of elements of this rank's result that differ from it in any bit. `round` picks the
  // data.
  virtual Result<std::uint64_t> verify(const Collective& collective, Placement placement,
                                       std::uint32_t round, TimePoint deadline) = 0;

  // What is known only after the first collective, such as the plug-in in use.
  virtual BackendFacts facts() const = 0;

  // Gives up without waiting for peers. Afterwards only the destructor may be called.
  virtual void abort() = 0;

  // Collective. Ends in good order.
  virtual Status close(TimePoint deadline) = 0;
};

inline constexpr std::uint32_t kBackendAbi = 6;  // grows with every change of this header
inline constexpr const char* kBackendSymbol = "muster_bench_backend";

struct BackendModule {
  std::uint32_t abi = kBackendAbi;  // first in every version
  std::uint32_t options_size = sizeof(BackendOptions);
  const char* compiler = __VERSION__;
  const char* name = nullptr;
  // Can this process use it here? Looks for library and device; takes no part in any collective.
  Status (*probe)(const BackendOptions& options) = nullptr;
  std::unique_ptr<Backend> (*create)() = nullptr;
};

using BackendEntry = const BackendModule*();

}  // namespace muster::bench
