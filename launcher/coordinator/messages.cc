#include "launcher/coordinator/messages.h"

#include <algorithm>
#include <csignal>

#include "launcher/coordinator/string_lists.h"
#include "rendezvous/base/bytes.h"

namespace muster::launcher {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxAddress = 64;
constexpr std::uint32_t kMaxEnvironment = 64;  // variables of a profile

enum class Kind : std::uint8_t {
  kStartCheck = 1,
  kStartWorkers = 2,
  kStopGang = 3,
  kBecomeProgram = 4,
  kCloseJob = 5,
  kOpenStore = 6,
  kFindOwners = 7,
  kOwnersTold = 8,
  kLookAtNode = 9,
  kCloseStore = 10,
  kWorkerEnded = 66,
  kGangFinished = 67,
  kCancelSeen = 68,
  kCloseAcknowledged = 69,
  kStoreOpened = 70,
  kStoreFailed = 71,
  kAskOwners = 72,
  kOwnersFound = 73,
  kNodeLooked = 74,
  kWorkersStarted = 75,
};

ByteWriter begin(Kind kind) {
  ByteWriter writer;
  writer.u8(static_cast<std::uint8_t>(kind));
  return writer;
}

void write_gang(ByteWriter& writer, GangId gang) {
  writer.u32(value_of(gang));
}

GangId read_gang(ByteReader& reader) {
  return GangId{reader.u32()};
}

void write_time(ByteWriter& writer, WallTime time) {
  writer.i64(time.time_since_epoch().count());
}

WallTime read_time(ByteReader& reader) {
  return WallTime(std::chrono::nanoseconds(reader.i64()));
}

void write_nodes(ByteWriter& writer, const std::vector<NodeIndex>& nodes) {
  writer.u32(static_cast<std::uint32_t>(nodes.size()));
  for (const NodeIndex node : nodes) writer.u32(value_of(node));
}

std::vector<NodeIndex> read_nodes(ByteReader& reader) {
  std::vector<NodeIndex> nodes;
  const std::uint32_t count = reader.count(kMaxLeftOut);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    nodes.push_back(NodeIndex{reader.u32()});
  }
  return nodes;
}

void write_worker_end(ByteWriter& writer, const WorkerEnd& end) {
  writer.u32(value_of(end.place.rank)).u32(value_of(end.place.local_rank));
  writer.u32(value_of(end.place.node)).string(std::string_view(end.place.host).substr(0, kMaxText));
  const std::optional<int> signal = end.status.signal();
  writer.u8(signal ? 1 : 0)
      .u32(static_cast<std::uint32_t>(signal.value_or(end.status.exit_code())));
  writer.u8(end.status.dumped_core() ? 1 : 0);
  writer.u8(end.start_failure ? 1 : 0);
  if (end.start_failure) {
    writer.string(std::string_view(end.start_failure->text).substr(0, kMaxText));
    writer.u32(static_cast<std::uint32_t>(end.start_failure->exit_code));
  }
  write_time(writer, end.when);
  writer.i64(end.clock.to_coordinator.count()).i64(end.clock.uncertainty.count());
  writer.u8(end.stop_sent ? 1 : 0);
  if (end.stop_sent) write_time(writer, *end.stop_sent);
  writer.string(std::string_view(end.error_file).substr(0, kMaxErrorFile));
  const std::size_t lines = std::min(end.stderr_tail.size(), kMaxTailLines);
  writer.u32(static_cast<std::uint32_t>(lines));
  for (std::size_t i = end.stderr_tail.size() - lines; i < end.stderr_tail.size(); ++i) {
    writer.string(std::string_view(end.stderr_tail[i]).substr(0, kMaxTailLine));
  }
}

// What follows in a worker's end, or nothing: 1 or 0, so that what is parsed is written as it was.
Result<bool> read_flag(ByteReader& reader, std::string_view of) {
  const std::uint8_t flag = reader.u8();
  if (flag <= 1) return flag == 1;
  return failure(ErrorCode::kProtocol, "a worker's end: " + std::string(of) + " is " +
                                           std::to_string(flag) + ", expected 0 or 1");
}

Result<process::ExitStatus> read_status(ByteReader& reader) {
  MUSTER_TRY(is_signal, read_flag(reader, "killed by a signal"));
  const std::uint32_t number = reader.u32();
  MUSTER_TRY(core, read_flag(reader, "core dumped"));
  if (!is_signal && !core) return process::ExitStatus::exited(static_cast<int>(number));
  if (!is_signal)
    return failure(ErrorCode::kProtocol, "a worker's end: a core was dumped without a signal");
  if (number == 0 || number >= NSIG) {
    return failure(ErrorCode::kProtocol, "a worker's end: killed by signal " +
                                             std::to_string(number) + ", expected 1 to " +
                                             std::to_string(NSIG - 1));
  }
  return process::ExitStatus::killed(static_cast<int>(number), core);
}

Result<WorkerEnd> read_worker_end(ByteReader& reader) {
  WorkerEnd end;
  end.place.rank = Rank{reader.u32()};
  end.place.local_rank = LocalRank{reader.u32()};
  end.place.node = NodeIndex{reader.u32()};
  end.place.host = reader.string(kMaxText);
  MUSTER_TRY(status, read_status(reader));
  end.status = status;
  MUSTER_TRY(did_not_start, read_flag(reader, "did not start"));
  if (did_not_start) {
    verdict::StartFailure failure;
    failure.text = reader.string(kMaxText);
    failure.exit_code = static_cast<int>(reader.u32());
    end.start_failure = std::move(failure);
  }
  end.when = read_time(reader);
  end.clock.to_coordinator = std::chrono::nanoseconds(reader.i64());
  end.clock.uncertainty = std::chrono::nanoseconds(reader.i64());
  MUSTER_TRY(was_stopped, read_flag(reader, "was stopped"));
  if (was_stopped) end.stop_sent = read_time(reader);
  end.error_file = reader.string(kMaxErrorFile);
  end.stderr_tail = read_strings(reader, kMaxTailLines, kMaxTailLine);
  return end;
}

template <class Message>
std::string with_body(Kind kind, const Message& message) {
  ByteWriter writer = begin(kind);
  write(writer, message);
  return writer.take();
}

struct Encoder {
  std::string operator()(const StartCheck& message) const {
    return with_body(Kind::kStartCheck, message);
  }
  std::string operator()(const StartWorkers& message) const {
    ByteWriter writer = begin(Kind::kStartWorkers);
    write_gang(writer, message.gang);
    writer.u32(value_of(message.attempt)).u16(message.master_port);
    writer.u8(message.agent_store ? 1 : 0).string(message.master_address);
    write_strings(writer, message.environment);
    write_nodes(writer, message.left_out);
    return writer.take();
  }
  std::string operator()(const StopGang& message) const {
    ByteWriter writer = begin(Kind::kStopGang);
    write_gang(writer, message.gang);
    writer.u32(message.signal).i64(message.grace.count());
    return writer.u8(message.cancelled ? 1 : 0).take();
  }
  std::string operator()(const BecomeProgram& message) const {
    ByteWriter writer = begin(Kind::kBecomeProgram);
    writer.u16(message.master_port).string(message.master_address);
    write_strings(writer, message.environment);
    write_nodes(writer, message.left_out);
    return writer.take();
  }
  std::string operator()(const CloseJob& message) const {
    return begin(Kind::kCloseJob).u32(message.exit_code).take();
  }
  std::string operator()(const WorkerEnded& message) const {
    ByteWriter writer = begin(Kind::kWorkerEnded);
    write_gang(writer, message.gang);
    write_worker_end(writer, message.end);
    return writer.take();
  }
  std::string operator()(const WorkersStarted& message) const {
    return begin(Kind::kWorkersStarted).u32(value_of(message.gang)).take();
  }
  std::string operator()(const GangFinished& message) const {
    ByteWriter writer = begin(Kind::kGangFinished);
    write_gang(writer, message.gang);
    write_strings(writer, message.reports);
    return writer.u32(message.killed).u32(message.stuck).take();
  }
  std::string operator()(const CancelSeen& message) const {
    return begin(Kind::kCancelSeen).u32(message.signal).i64(message.wall_clock_ns).take();
  }
  std::string operator()(const CloseAcknowledged&) const {
    return begin(Kind::kCloseAcknowledged).take();
  }
  std::string operator()(const LookAtNode& message) const {
    return with_body(Kind::kLookAtNode, message);
  }
  std::string operator()(const NodeLooked& message) const {
    return with_body(Kind::kNodeLooked, message);
  }
  std::string operator()(const OpenStore& message) const {
    return with_body(Kind::kOpenStore, message);
  }
  std::string operator()(const CloseStore& message) const {
    return with_body(Kind::kCloseStore, message);
  }
  std::string operator()(const FindOwners& message) const {
    return with_body(Kind::kFindOwners, message);
  }
  std::string operator()(const OwnersTold& message) const {
    return with_body(Kind::kOwnersTold, message);
  }
  std::string operator()(const StoreOpened& message) const {
    return with_body(Kind::kStoreOpened, message);
  }
  std::string operator()(const StoreFailed& message) const {
    return with_body(Kind::kStoreFailed, message);
  }
  std::string operator()(const AskOwners& message) const {
    return with_body(Kind::kAskOwners, message);
  }
  std::string operator()(const OwnersFound& message) const {
    return with_body(Kind::kOwnersFound, message);
  }
};

StartWorkers read_start_workers(ByteReader& reader) {
  StartWorkers message;
  message.gang = read_gang(reader);
  message.attempt = Attempt{reader.u32()};
  message.master_port = reader.u16();
  message.agent_store = reader.u8() != 0;
  message.master_address = reader.string(kMaxAddress);
  message.environment = read_strings(reader, kMaxEnvironment, kMaxText);
  message.left_out = read_nodes(reader);
  return message;
}

BecomeProgram read_become_program(ByteReader& reader) {
  BecomeProgram message;
  message.master_port = reader.u16();
  message.master_address = reader.string(kMaxAddress);
  message.environment = read_strings(reader, kMaxEnvironment, kMaxText);
  message.left_out = read_nodes(reader);
  return message;
}

StopGang read_stop_gang(ByteReader& reader) {
  StopGang message;
  message.gang = read_gang(reader);
  message.signal = reader.u32();
  message.grace = Duration(reader.i64());
  message.cancelled = reader.u8() != 0;
  return message;
}

GangFinished read_gang_finished(ByteReader& reader) {
  GangFinished message;
  message.gang = read_gang(reader);
  message.reports = read_strings(reader, kMaxReports, kMaxReport);
  message.killed = reader.u32();
  message.stuck = reader.u32();
  return message;
}

CancelSeen read_cancel_seen(ByteReader& reader) {
  CancelSeen message;
  message.signal = reader.u32();
  message.wall_clock_ns = reader.i64();
  return message;
}

tl::unexpected<Error> unknown_kind(std::string_view who, std::uint8_t kind) {
  return failure(ErrorCode::kProtocol,
                 std::string(who) + " sent a message of unknown kind " + std::to_string(kind));
}

}  // namespace

std::string encode(const ToAgent& message) {
  return std::visit(Encoder{}, message);
}
std::string encode(const FromAgent& message) {
  return std::visit(Encoder{}, message);
}

Result<ToAgent> parse_to_agent(std::string_view bytes) {
  ByteReader reader(bytes);
  ToAgent message;
  const std::uint8_t kind = reader.u8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kStartCheck:
      message = read_start_check(reader);
      break;
    case Kind::kStartWorkers:
      message = read_start_workers(reader);
      break;
    case Kind::kStopGang:
      message = read_stop_gang(reader);
      break;
    case Kind::kBecomeProgram:
      message = read_become_program(reader);
      break;
    case Kind::kCloseJob:
      message = CloseJob{reader.u32()};
      break;
    case Kind::kOpenStore: {
      MUSTER_TRY(order, read_open_store(reader));
      message = order;
      break;
    }
    case Kind::kCloseStore:
      message = read_close_store(reader);
      break;
    case Kind::kFindOwners:
      message = read_find_owners(reader);
      break;
    case Kind::kOwnersTold: {
      MUSTER_TRY(told, read_owners_told(reader));
      message = std::move(told);
      break;
    }
    case Kind::kLookAtNode:
      message = read_look_at_node(reader);
      break;
    default:
      return unknown_kind("the coordinator", kind);
  }
  MUSTER_RETURN_IF_ERROR(reader.finish("message of the coordinator"));
  return message;
}

Result<FromAgent> parse_from_agent(std::string_view bytes) {
  ByteReader reader(bytes);
  FromAgent message;
  const std::uint8_t kind = reader.u8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kWorkerEnded: {
      const GangId gang = read_gang(reader);
      MUSTER_TRY(end, read_worker_end(reader));
      message = WorkerEnded{gang, std::move(end)};
      break;
    }
    case Kind::kGangFinished:
      message = read_gang_finished(reader);
      break;
    case Kind::kCancelSeen:
      message = read_cancel_seen(reader);
      break;
    case Kind::kCloseAcknowledged:
      message = CloseAcknowledged{};
      break;
    case Kind::kStoreOpened:
      message = read_store_opened(reader);
      break;
    case Kind::kStoreFailed:
      message = read_store_failed(reader);
      break;
    case Kind::kAskOwners:
      message = read_ask_owners(reader);
      break;
    case Kind::kOwnersFound: {
      MUSTER_TRY(found, read_owners_found(reader));
      message = std::move(found);
      break;
    }
    case Kind::kNodeLooked:
      message = read_node_looked(reader);
      break;
    case Kind::kWorkersStarted:
      message = WorkersStarted{read_gang(reader)};
      break;
    default:
      return unknown_kind("an agent", kind);
  }
  MUSTER_RETURN_IF_ERROR(reader.finish("message of an agent"));
  return message;
}

}  // namespace muster::launcher
