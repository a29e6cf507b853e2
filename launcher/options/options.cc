#include "launcher/options/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "launcher/options/flags.h"

// Why no CLI11 here: a note or an error must repeat the flag as the user wrote it or name its PET_
// variable, `--flag=` from an unset shell variable must be seen, the words after the program must
// stay untouched, and one table must also make the pages. That leaves a library nothing to do.

namespace muster::options {
namespace {

tl::unexpected<Error> usage_error(std::string message) {
  return failure(ErrorCode::kInvalidArgument, std::move(message));
}

// Walks the words up to the program and turns flags into uses.
class WordReader {
 public:
  explicit WordReader(std::span<const std::string> words) : words_(words) {}

  Result<std::vector<FlagUse>> read_flags() {
    std::vector<FlagUse> uses;
    for (; next_ < words_.size(); ++next_) {
      const std::string& word = words_[next_];
      if (word == "--") {
        ++next_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') break;
      MUSTER_TRY(use, word[1] == '-' ? read_long(word) : read_short(word));
      uses.push_back(std::move(use));
    }
    return uses;
  }

  std::span<const std::string> rest() const { return words_.subspan(next_); }

 private:
  Result<FlagUse> read_long(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = std::string_view(word).substr(2, equals - 2);
    const FlagRow* const row = find_flag(name);
    if (row == nullptr) return unknown(word.substr(0, equals), name);
    if (equals == std::string::npos) return take_value(*row, word);
    if (row->placeholder.empty()) return usage_error(word + ": this option takes no value");
    return FlagUse{row, word.substr(equals + 1), word};
  }

  // "-r 3", "-r3" and "-r=3".
  Result<FlagUse> read_short(const std::string& word) {
    const FlagRow* const row = find_flag(word[1]);
    if (row == nullptr || (row->placeholder.empty() && word.size() > 2)) {
      return unknown(word, std::string_view(word).substr(1, word.find('=') - 1));
    }
    if (word.size() == 2) return take_value(*row, word);
    return FlagUse{row, word.substr(word[2] == '=' ? 3 : 2), word};
  }

  Result<FlagUse> take_value(const FlagRow& row, const std::string& word) {
    if (row.placeholder.empty()) return FlagUse{&row, "", word};
    if (next_ + 1 == words_.size()) {
      return usage_error(
          fmt::format("{}: no value given; write {}={}", word, word, row.placeholder));
    }
    const std::string& value = words_[next_ + 1];
    if (value.size() > 1 && value[0] == '-') {
      return usage_error(
          fmt::format("{}: no value given, the next word is {}; write {}={} (is a "
                      "variable unset?)",
                      word, value, word, row.placeholder));
    }
    ++next_;
    return FlagUse{&row, value, word + "=" + value};
  }

  static tl::unexpected<Error> unknown(const std::string& given, std::string_view name) {
    const std::string_view near = nearest_flag(name);
    const std::string advice =
        near.empty() ? "see muster --help" : fmt::format("did you mean --{}?", near);
    return failure(ErrorCode::kInvalidArgument,
                   fmt::format("unknown option {}; {} (options of the program go after its name)",
                               given, advice));
  }

  std::span<const std::string> words_;
  std::size_t next_ = 0;
};

// PET_ variables of all rows that the command line does not set.
Result<std::vector<FlagUse>> read_pet_variables(const Environment& environment,
                                                const std::vector<FlagUse>& given) {
  std::vector<FlagUse> uses;
  for (const FlagRow& row : flag_table()) {
    if (!row.reads_pet) continue;
    if (std::ranges::any_of(given, [&row](const FlagUse& use) { return use.row == &row; })) {
      continue;
    }
    const std::string name = pet_variable(row);
    const std::string value = environment.get_or(name, "");
    if (value.empty()) continue;
    std::string source = name + "=" + value;
    if (row.placeholder.empty()) {
      if (value == "0") continue;
      if (value != "1") return usage_error(source + ": expected 0 or 1");
    }
    uses.push_back({&row, row.placeholder.empty() ? "" : value, std::move(source)});
  }
  return uses;
}

// One note for all ignored flags that share a reason.
void note_ignored(const std::vector<FlagUse>& uses, std::vector<std::string>& notes) {
  std::vector<std::string_view> told;
  for (const FlagUse& use : uses) {
    const std::string_view reason = use.row->text;
    if (use.row->treatment != FlagTreatment::kIgnored || std::ranges::count(told, reason)) continue;
    told.push_back(reason);
    std::string sources;
    for (const FlagUse& other : uses) {
      if (other.row->treatment != FlagTreatment::kIgnored || other.row->text != reason) continue;
      sources += (sources.empty() ? "" : ", ") + other.source;
    }
    notes.push_back(fmt::format("ignoring {}: {}", sources, reason));
  }
}

Status apply_flags(const std::vector<FlagUse>& uses, Parsed& parsed) {
  for (const FlagUse& use : uses) {
    if (use.row->treatment == FlagTreatment::kRefused) {
      return usage_error(fmt::format("{}: {}", use.source, use.row->text));
    }
    if (use.row->apply == nullptr) continue;
    // An empty --rdzv-id means what torchrun's default means: choose one.
    if (use.value.empty() && !use.row->placeholder.empty() && use.row->name != "rdzv-id") {
      return usage_error(fmt::format(
          "{}: the value is empty; write {} or leave the option out (is a variable unset?)",
          use.source, use.row->placeholder));
    }
    const Status applied = use.row->apply(use, parsed);
    if (!applied) return failure(applied.error().within(use.source));
  }
  note_ignored(uses, parsed.notes);
  return {};
}

// `muster check` runs no program.
Status check_check(const Options& options) {
  if (!options.program.words.empty()) {
    return usage_error(
        fmt::format("check: '{}' is given; check runs no program: write muster check [options]",
                    options.program.words.front()));
  }
  if (options.check.mode == CheckMode::kOff) {
    return usage_error("check with --check=off: leave one of the two out");
  }
  if (options.exec || options.dry_run) {
    return usage_error(fmt::format("check with {}: check runs no program; leave it out",
                                   options.exec ? "--exec" : "--dry-run"));
  }
  if (!options.prewarm.empty()) {
    return usage_error("check with --prewarm: check runs no program to prewarm; leave it out");
  }
  return {};
}

// --drain tells Slurm of the nodes that the check over several of them found unfit.
Status check_drain(const Options& options) {
  if (!options.drain) return {};
  if (options.standalone) {
    return usage_error(
        "--drain with --standalone: there is no Slurm to tell; leave one of the two "
        "out");
  }
  if (options.health_only) {
    return usage_error(
        "--drain with --health-only: of a prolog the exit code drains the node; "
        "leave --drain out");
  }
  return {};
}

// What --check=off leaves without a meaning. A minimum that nobody holds the machine to is better
// said than found out.
void note_unmeasured(const std::vector<FlagUse>& uses, Parsed& parsed) {
  static constexpr std::array<std::string_view, 5> kMeasured = {
      "check-min-busbw", "check-sizes", "check-deadline", "record-baseline", "drain"};
  if (parsed.options.check.mode != CheckMode::kOff) return;
  for (const FlagUse& use : uses) {
    if (std::ranges::count(kMeasured, use.row->name) == 0) continue;
    parsed.notes.push_back(
        fmt::format("ignoring {}: with --check=off nothing is measured", use.source));
  }
}

// The lines of the job go there, and what writes a result is another process.
bool is_own_stream(std::string_view path) {
  return path == "-" || path == "/dev/stdout" || path == "/dev/stderr" ||
         path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/");
}

Status check_result_files(const Options& options) {
  for (const auto& [flag, path] :
       {std::pair("--json", options.json), std::pair("--html", options.html),
        std::pair("--record-baseline", options.record_baseline)}) {
    if (!is_own_stream(path)) continue;
    return usage_error(
        fmt::format("{0}={1}: muster's own lines go there; expected the name of a file, as in "
                    "{0}=result",
                    flag, path));
  }
  return {};
}

Status check_consistency(const std::vector<FlagUse>& uses, Parsed& parsed) {
  const Options& options = parsed.options;
  MUSTER_RETURN_IF_ERROR(check_drain(options));
  MUSTER_RETURN_IF_ERROR(check_result_files(options));
  if (options.command == Command::kCheck) return check_check(options);
  if (options.command != Command::kRun) return {};
  const std::string_view only_check = options.health_only     ? "--health-only"
                                      : !options.json.empty() ? "--json"
                                      : !options.html.empty() ? "--html"
                                                              : "";
  if (!only_check.empty()) {
    return usage_error(fmt::format("{0}: only check takes it; write muster check {0}{1}",
                                   only_check, options.health_only ? "" : "=FILE"));
  }
  if (options.program.words.empty()) {
    return usage_error("no program given; write: muster [options] program args... (muster --help)");
  }
  if (options.program.words.front().empty()) {
    return usage_error("the program's name is empty (is a variable unset?)");
  }
  const bool files = options.output.target != OutputTarget::kConsole;
  if (options.exec && (files || options.stdin_rank)) {
    return usage_error(
        fmt::format("--exec with {}: the agent becomes the program and carries no "
                    "streams; leave one of the two out",
                    files ? "output to files" : "--stdin"));
  }
  if (options.exec && options.max_restarts > 0) {
    return usage_error(
        "--exec with --max-restarts: the agent becomes the program and nobody stays to restart it; "
        "leave one of them out");
  }
  if (options.stdin_rank && options.max_restarts > 0) {
    return usage_error(
        "--stdin with --max-restarts: what a rank has read is gone for the next attempt; leave one "
        "of them out");
  }
  if (options.exec && options.store == StoreMode::kAgent) {
    return usage_error(
        "--exec with --store=agent: the agent becomes the program and serves no "
        "store; leave one of the two out");
  }
  const bool names_dir =
      std::ranges::any_of(uses, [](const FlagUse& use) { return use.row->name == "log-dir"; });
  if (names_dir && !files) {
    parsed.notes.push_back(
        "--log-dir: the workers' lines go to the console only; --output=files "
        "or --output=both writes files there");
  }
  note_unmeasured(uses, parsed);
  return {};
}

Result<Parsed> parse_hostnames(std::span<const std::string> words) {
  if (!words.empty() && words.front() == "--") words = words.subspan(1);
  if (words.size() != 1) {
    return usage_error(
        fmt::format("hostnames: {} expressions given, expected one; write: muster "
                    "hostnames 'node[1-4]'",
                    words.size()));
  }
  Parsed parsed;
  parsed.options.command = Command::kHostnames;
  parsed.options.hosts = words.front();
  return parsed;
}

Result<Parsed> parse_run(std::span<const std::string> words, const Environment& environment,
                         Command command = Command::kRun) {
  WordReader reader(words);
  MUSTER_TRY(given, reader.read_flags());
  MUSTER_TRY(uses, read_pet_variables(environment, given));
  uses.insert(uses.end(), given.begin(), given.end());  // the command line has the last word

  Parsed parsed;
  parsed.options.command = command;
  parsed.options.program.words.assign(reader.rest().begin(), reader.rest().end());
  MUSTER_RETURN_IF_ERROR(apply_flags(uses, parsed));
  MUSTER_RETURN_IF_ERROR(check_consistency(uses, parsed));
  std::string& memory = parsed.options.node_memory;
  if (memory.empty()) memory = environment.get_or("MUSTER_NODE_MEMORY", "");
  return parsed;
}

std::string count_of(std::uint32_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Status check_world_nodes(const Options& options, std::uint32_t node_count) {
  const std::uint64_t nodes = options.world_nodes.value_or(1);
  const std::uint64_t spares = options.spares.value_or(0);
  const bool both = options.world_nodes && options.spares;
  if (nodes + spares <= node_count && (!both || nodes + spares == node_count)) return {};
  std::string given;
  if (options.world_nodes) given += fmt::format("--nodes={}", nodes);
  if (options.spares) given += fmt::format("{}--spares={}", given.empty() ? "" : " ", spares);
  return usage_error(
      fmt::format("{}, but this step has {}; {}", given, count_of(node_count, "node"),
                  both ? "expected the two to add up to it: leave one of them out"
                       : fmt::format("write srun --nodes={}, or less here", nodes + spares)));
}

}  // namespace

Result<Parsed> parse_command_line(std::span<const std::string> words,
                                  const Environment& environment) {
  if (words.size() > kMaxWords) {
    return failure(ErrorCode::kLimit,
                   fmt::format("{} words given, expected at most {}", words.size(), kMaxWords));
  }
  if (words.empty()) return parse_run(words, environment);
  const std::string_view first = words.front();
  if (first == "run") return parse_run(words.subspan(1), environment);
  if (first == "check") return parse_run(words.subspan(1), environment, Command::kCheck);
  if (first == "hostnames") return parse_hostnames(words.subspan(1));
  Parsed parsed;
  if (first == "help") parsed.options.command = Command::kHelp;
  if (first == "version") parsed.options.command = Command::kVersion;
  if (parsed.options.command != Command::kRun) return parsed;
  return parse_run(words, environment);
}

StoreMode store_mode_of(const Options& options) {
  return options.store.value_or(options.exec ? StoreMode::kRank0 : StoreMode::kAgent);
}

std::optional<std::uint32_t> world_nodes_of(const Options& options, std::uint32_t node_count) {
  if (options.world_nodes) return options.world_nodes;
  if (options.spares) return node_count - *options.spares;
  return std::nullopt;
}

Status check_against_step(const Options& options, const StepFacts& facts) {
  MUSTER_RETURN_IF_ERROR(check_world_nodes(options, facts.node_count));
  if (options.nodes &&
      (facts.node_count < options.nodes->minimum || facts.node_count > options.nodes->maximum)) {
    return usage_error(
        fmt::format("{}, but this step has {}; write srun --nodes={}, or leave "
                    "--nnodes out",
                    options.nodes->source, count_of(facts.node_count, "node"),
                    std::clamp(facts.node_count, options.nodes->minimum, options.nodes->maximum)));
  }
  const std::uint32_t node = value_of(facts.node);
  if (options.node_rank && options.node_rank->rank != node &&
      options.node_rank->rank != facts.proc_id) {
    return usage_error(fmt::format(
        "{}, but this is node {} of the step (SLURM_NODEID); leave --node-rank out, muster knows "
        "it (was a variable in double quotes expanded before srun started?)",
        options.node_rank->source, node));
  }
  return {};
}

}  // namespace muster::options
