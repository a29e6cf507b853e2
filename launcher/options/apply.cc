#include "launcher/options/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "launcher/options/values.h"

namespace muster::options::apply {
namespace {

constexpr std::uint32_t kMaxNodes = 65536;
constexpr std::uint32_t kAnyNumber = std::numeric_limits<std::uint32_t>::max();

tl::unexpected<Error> expected(const std::string& what) {
  return failure(ErrorCode::kInvalidArgument, "expected " + what);
}

Status choose_kind(ProgramKind kind, Parsed& parsed) {
  ProgramKind& chosen = parsed.options.program.kind;
  if (chosen != ProgramKind::kByName && chosen != kind) {
    return failure(ErrorCode::kInvalidArgument,
                   "-m, --no-python and --run-path exclude one another; write one of them");
  }
  chosen = kind;
  return {};
}

// torchrun's "3" or "0:1,1:2" (by local rank): the streams that any worker names, 1 stdout + 2
// stderr; `uniform` when all workers get the same.
struct Streams {
  unsigned any = 0;
  bool uniform = true;
};

Result<Streams> parse_streams(std::string_view text) {
  Streams streams;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    std::string_view item = text.substr(0, comma);
    if (const std::size_t colon = item.find(':'); colon != std::string_view::npos) {
      MUSTER_RETURN_IF_ERROR(parse_number(item.substr(0, colon), 0, kMaxWorkersPerNode));
      item.remove_prefix(colon + 1);
      streams.uniform = false;
    } else if (more || !streams.uniform) {
      return expected("0 to 3, or pairs such as 0:3,1:3");
    }
    MUSTER_TRY(value, parse_number(item, 0, 3));
    streams.any |= value;
    if (more) text.remove_prefix(comma + 1);
  }
  return streams;
}

// As the measurement steps from its smallest size to its largest.
bool grow_by_one_factor(const std::vector<std::uint64_t>& sizes) {
  if (sizes.size() < 2) return true;
  const std::uint64_t factor = sizes[1] / sizes[0];
  if (factor < 2) return false;
  for (std::size_t place = 1; place < sizes.size(); ++place) {
    if (sizes[place] % factor != 0 || sizes[place] / factor != sizes[place - 1]) return false;
  }
  return true;
}

}  // namespace

Status check(const FlagUse& use, Parsed& parsed) {
  for (const CheckMode mode :
       {CheckMode::kAuto, CheckMode::kNccl, CheckMode::kFabric, CheckMode::kOff}) {
    if (use.value != to_string(mode)) continue;
    parsed.options.check.mode = mode;
    return {};
  }
  return expected("auto, nccl, fabric or off");
}

Status check_min_busbw(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(value, parse_positive(use.value));
  parsed.options.check.min_busbw_gbps = value;
  return {};
}

Status check_sizes(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(sizes, parse_sizes(use.value));
  if (!grow_by_one_factor(sizes)) {
    return expected("sizes that grow by one whole factor, such as 64K,1M,16M");
  }
  parsed.options.check.sizes = std::move(sizes);
  return {};
}

Status check_deadline(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(deadline, parse_duration(use.value));
  if (deadline <= Duration::zero()) return expected("more than 0 seconds");
  parsed.options.check.deadline = deadline;
  return {};
}

Status record_baseline(const FlagUse& use, Parsed& parsed) {
  parsed.options.record_baseline = use.value;
  return {};
}

Status world_nodes(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(nodes, parse_number(use.value, 1, kAnyNumber));
  parsed.options.world_nodes = nodes;
  return {};
}

Status spares(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(spares, parse_number(use.value, 0, kAnyNumber));
  parsed.options.spares = spares;
  return {};
}

Status profile(const FlagUse& use, Parsed& parsed) {
  parsed.options.profile = use.value;
  return {};
}

Status json(const FlagUse& use, Parsed& parsed) {
  parsed.options.json = use.value;
  return {};
}

Status html(const FlagUse& use, Parsed& parsed) {
  parsed.options.html = use.value;
  return {};
}

Status health_only(const FlagUse&, Parsed& parsed) {
  parsed.options.health_only = true;
  return {};
}

Status node_memory(const FlagUse& use, Parsed& parsed) {
  parsed.options.node_memory = use.value;
  return {};
}

Status drain(const FlagUse&, Parsed& parsed) {
  parsed.options.drain = true;
  return {};
}

Status prewarm(const FlagUse& use, Parsed& parsed) {
  parsed.options.prewarm = use.value;
  return {};
}

Status store(const FlagUse& use, Parsed& parsed) {
  for (const StoreMode mode : {StoreMode::kAgent, StoreMode::kRank0}) {
    if (use.value != to_string(mode)) continue;
    parsed.options.store = mode;
    return {};
  }
  return expected("agent or rank0");
}

Status store_admission(const FlagUse& use, Parsed& parsed) {
  for (const AdmissionMode mode :
       {AdmissionMode::kUid, AdmissionMode::kNode, AdmissionMode::kOpen}) {
    if (use.value != to_string(mode)) continue;
    parsed.options.admission = mode;
    return {};
  }
  return expected("uid, node or open");
}

Status exec(const FlagUse&, Parsed& parsed) {
  parsed.options.exec = true;
  return {};
}

Status dry_run(const FlagUse&, Parsed& parsed) {
  parsed.options.dry_run = true;
  return {};
}

Status stop_grace(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(grace, parse_duration(use.value));
  parsed.options.stop_grace = grace;
  return {};
}

Status assemble_deadline(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(deadline, parse_duration(use.value));
  if (deadline <= Duration::zero()) return expected("more than 0 seconds");
  parsed.options.assemble_deadline = deadline;
  return {};
}

Status stdin_rank(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(rank, parse_number(use.value, 0, kAnyNumber));
  parsed.options.stdin_rank = Rank{rank};
  return {};
}

Status output(const FlagUse& use, Parsed& parsed) {
  for (const OutputTarget target :
       {OutputTarget::kConsole, OutputTarget::kFiles, OutputTarget::kBoth}) {
    if (use.value != to_string(target)) continue;
    parsed.options.output.target = target;
    return {};
  }
  return expected("console, files or both");
}

Status prefix(const FlagUse& use, Parsed& parsed) {
  parsed.options.output.prefix = use.value == "none" ? "" : use.value;
  return {};
}

Status interface(const FlagUse& use, Parsed& parsed) {
  parsed.options.interface = use.value;
  return {};
}

Status help(const FlagUse&, Parsed& parsed) {
  parsed.options.command = Command::kHelp;
  return {};
}

Status version(const FlagUse&, Parsed& parsed) {
  parsed.options.command = Command::kVersion;
  return {};
}

Status nodes(const FlagUse& use, Parsed& parsed) {
  const std::string_view text = use.value;
  const std::size_t colon = text.find(':');
  const auto minimum = parse_number(text.substr(0, colon), 1, kMaxNodes);
  const auto maximum = colon == std::string_view::npos
                           ? minimum
                           : parse_number(text.substr(colon + 1), minimum.value_or(1), kMaxNodes);
  if (!minimum || !maximum) {
    return expected(fmt::format("N or MIN:MAX, numbers from 1 to {}", kMaxNodes));
  }
  parsed.options.nodes = NodeCountWish{*minimum, *maximum, use.source};
  return {};
}

Status workers_per_node(const FlagUse& use, Parsed& parsed) {
  WorkersPerNode& workers = parsed.options.workers_per_node;
  if (use.value == "gpu") {
    workers = {WorkersPerNode::Wish::kGpu, 0};
  } else if (use.value == "cpu") {
    workers = {WorkersPerNode::Wish::kCpu, 0};
  } else if (use.value == "auto") {
    workers = {WorkersPerNode::Wish::kAuto, 0};
  } else {
    const Result<std::uint32_t> count = parse_number(use.value, 1, kMaxWorkersPerNode);
    if (!count) {
      return expected(fmt::format("gpu, cpu, auto or a number from 1 to {}", kMaxWorkersPerNode));
    }
    workers = {WorkersPerNode::Wish::kNumber, *count};
  }
  return {};
}

Status run_id(const FlagUse& use, Parsed& parsed) {
  parsed.options.run_id = use.value;
  return {};
}

Status standalone(const FlagUse&, Parsed& parsed) {
  parsed.options.standalone = true;
  return {};
}

Status max_restarts(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(restarts, parse_number(use.value, 0, kAnyNumber));
  parsed.options.max_restarts = restarts;
  return {};
}

Status role(const FlagUse& use, Parsed& parsed) {
  parsed.options.role = use.value;
  return {};
}

Status module(const FlagUse&, Parsed& parsed) {
  return choose_kind(ProgramKind::kModule, parsed);
}

Status no_python(const FlagUse&, Parsed& parsed) {
  return choose_kind(ProgramKind::kExecutable, parsed);
}

Status run_path(const FlagUse&, Parsed& parsed) {
  return choose_kind(ProgramKind::kScript, parsed);
}

Status log_dir(const FlagUse& use, Parsed& parsed) {
  parsed.options.output.log_dir = use.value;
  return {};
}

Status redirects(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(streams, parse_streams(use.value));
  OutputTarget& target = parsed.options.output.target;
  if (streams.any == 0 || target == OutputTarget::kBoth) return {};
  if (streams.any == 3 && streams.uniform) {
    target = OutputTarget::kFiles;
    return {};
  }
  target = OutputTarget::kBoth;
  parsed.notes.push_back(use.source +
                         ": taken as --output=both; muster writes both streams of every worker");
  return {};
}

Status tee(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(streams, parse_streams(use.value));
  if (streams.any != 0) parsed.options.output.target = OutputTarget::kBoth;
  return {};
}

Status node_rank(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(rank, parse_number(use.value, 0, kAnyNumber));
  parsed.options.node_rank = NodeRankWish{rank, use.source};
  return {};
}

Status master_port(const FlagUse& use, Parsed& parsed) {
  MUSTER_TRY(port, parse_number(use.value, 1, 65535));
  parsed.options.master_port = static_cast<std::uint16_t>(port);
  return {};
}

}  // namespace muster::options::apply
