// What the coordinator and the agents say to each other, as values and as bytes. Pure.
//
// The bytes travel as application messages of the rendezvous, which frames, bounds and orders them
// and has proven who speaks. Every message starts with its kind (u8); numbers as in base/bytes.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "launcher/coordinator/check_messages.h"
#include "launcher/coordinator/gang_id.h"
#include "launcher/coordinator/health_messages.h"
#include "launcher/coordinator/store_messages.h"
#include "launcher/verdict/first_cause.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::launcher {

using verdict::WallTime;
using verdict::WorkerEnd;

// --- coordinator to agent ---------------------------------------------------------------------

struct StartWorkers {
  GangId gang{};
  Attempt attempt{};
  std::uint16_t master_port = 0;
  bool agent_store = false;  // an agent serves the store there; else the program's rank 0 opens it
  // Numeric, of rank 0's node; "" when that is the coordinator's node, whose address an agent
  // knows best itself: the one by which it came.
  std::string master_address;
  // "NAME=value", from the machine's profile: for variables that the user has not set.
  std::vector<std::string> environment{};
  std::vector<NodeIndex> left_out{};  // nodes of the roster that are not in this world, ascending

  bool operator==(const StartWorkers&) const = default;
};

// `signal` first, then after `grace` SIGKILL. Repeated ones are harmless. `cancelled`: Slurm is
// sending the same signal to everybody now, so the agent gives that a moment before it sends its
// own.
struct StopGang {
  GangId gang{};
  std::uint32_t signal = 0;
  Duration grace{};
  bool cancelled = false;

  bool operator==(const StopGang&) const = default;
};

// --exec: become the program; the agent acknowledges with CloseAcknowledged before it does.
struct BecomeProgram {
  std::uint16_t master_port = 0;
  std::string master_address;              // as in StartWorkers
  std::vector<std::string> environment{};  // as in StartWorkers
  std::vector<NodeIndex> left_out{};       // as in StartWorkers

  bool operator==(const BecomeProgram&) const = default;
};

// The job is over: acknowledge, leave, exit with this code.
struct CloseJob {
  std::uint32_t exit_code = 0;

  bool operator==(const CloseJob&) const = default;
};

using ToAgent = std::variant<StartCheck, StartWorkers, StopGang, BecomeProgram, CloseJob, OpenStore,
                             FindOwners, OwnersTold, LookAtNode, CloseStore>;

// --- agent to coordinator ---------------------------------------------------------------------

struct WorkerEnded {
  GangId gang{};
  WorkerEnd end;
};

// Every worker of the gang runs its program, or could not be started. Not said of a check gang.
struct WorkersStarted {
  GangId gang{};
};

// Every process of the gang is gone and its output is delivered. `reports` are muster-bench's JSON
// documents, in the order of local ranks; empty for a worker gang.
struct GangFinished {
  GangId gang{};
  std::vector<std::string> reports;
  std::uint32_t killed = 0;  // workers that outlived the grace and got SIGKILL
  std::uint32_t stuck = 0;   // processes that outlived SIGKILL
};

// A signal that means "stop the job" reached this agent.
struct CancelSeen {
  std::uint32_t signal = 0;
  std::int64_t wall_clock_ns = 0;  // since the Unix epoch, by the agent's clock
};

struct CloseAcknowledged {};

using FromAgent =
    std::variant<WorkerEnded, GangFinished, CancelSeen, CloseAcknowledged, StoreOpened, StoreFailed,
                 AskOwners, OwnersFound, NodeLooked, WorkersStarted>;

// Limits on what one message may hold; longer texts are cut by the sender, refused by the receiver.
inline constexpr std::size_t kMaxTailLines = 200;
inline constexpr std::size_t kMaxTailLine = 4096;
inline constexpr std::size_t kMaxErrorFile = 64 * 1024;
inline constexpr std::size_t kMaxReport = 64 * 1024;
inline constexpr std::uint32_t kMaxReports = 1024;
inline constexpr std::uint32_t kMaxLeftOut = 65536;

std::string encode(const ToAgent& message);
std::string encode(const FromAgent& message);
Result<ToAgent> parse_to_agent(std::string_view bytes);
Result<FromAgent> parse_from_agent(std::string_view bytes);

}  // namespace muster::launcher
