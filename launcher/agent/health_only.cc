#include "launcher/agent/health_only.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>

#include "collectives-bench/profile/baseline.h"
#include "collectives-bench/profile/profile_files.h"
#include "launcher/agent/node_facts.h"
#include "launcher/coordinator/health_report.h"
#include "launcher/health/child_question.h"
#include "launcher/health/gpu_probe.h"
#include "launcher/health/probes/gather.h"
#include "launcher/options/exit_codes.h"

namespace muster::launcher {

namespace {

// Together less than the 5 s that a prolog gives.
constexpr Duration kDriverLimit{3'000};
constexpr Duration kHostLimit{1'000};
constexpr Duration kReportLimit{10'000};

std::string own_host(const Environment& environment) {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return environment.get_or("SLURMD_NODENAME", name.data());
}

// In the child. "" when it is written.
std::string write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << '\n';
  file.close();
  return file ? "" : "cannot be written; expected the name of a file in a folder that is there";
}

int refuse(const Error& error, options::ExitCode code) {
  std::fprintf(stderr, "muster: %s\n", error.message().c_str());
  return to_int(code);
}

}  // namespace

Result<bench::Profile> find_profile(const Environment& environment,
                                    const options::Options& options) {
  std::optional<std::string> wanted;
  if (!options.profile.empty()) wanted = options.profile;
  Result<bench::Profile> profile = bench::choose_profile(
      wanted, bench::read_machine(), bench::profile_folders(environment, own_program_path()));
  if (profile || wanted) return profile;
  bench::Profile nothing;  // the profiles are not installed
  nothing.name = bench::kGenericProfile;
  return nothing;
}

int run_health_only(const Environment& environment, const options::Options& options) {
  const Result<bench::Profile> profile = find_profile(environment, options);
  if (!profile) return refuse(profile.error(), options::ExitCode::kUsage);
  health::LookOptions look;
  look.library = health::gpu_probe_options(environment).library;
  look.driver_limit = kDriverLimit;
  look.host_limit = kHostLimit;
  HealthBoard board({own_host(environment)});
  board.begin_look(Clock::now());
  board.note(0, {LookId{0}, health::encode(health::look_at_node(look)), "", {}}, Clock::now());
  for (const std::string& line : board.judge(health::expectations_of(*profile))) {
    std::fprintf(stderr, "muster: %s\n", line.c_str());
  }
  std::fputs(board.tables().c_str(), stdout);
  CheckRecord record;
  record.exit_code =
      to_int(board.is_unfit() ? options::ExitCode::kUnfit : options::ExitCode::kSuccess);
  record.profile = &*profile;
  record.health = &board;
  if (options.json.empty()) return record.exit_code;
  const Status written = write_report_file(options.json, print_health_report(record));
  return written ? record.exit_code : refuse(written.error(), options::ExitCode::kInternal);
}

namespace {

// In a child: a file system that hangs is an error in time, not a job that never ends.
Status write_in_child(const std::string& option, const std::function<std::string()>& write) {
  const Result<std::string> problem =
      health::ChildQuestion::ask_and_wait("muster-report", write, kReportLimit);
  if (!problem) return failure(problem.error().within(option));
  if (!problem->empty()) return failure(ErrorCode::kSystem, option + ": " + *problem);
  return {};
}

}  // namespace

Status write_report_file(const std::string& path, const std::string& text) {
  return write_in_child("--json=" + path, [&path, &text]() { return write_text(path, text); });
}

Status write_baseline(const std::string& path, const bench::Profile& baseline) {
  return write_in_child("--record-baseline=" + path, [&path, &baseline]() {
    const Status written = bench::write_baseline_file(path, baseline);
    return written ? std::string() : written.error().message();
  });
}

}  // namespace muster::launcher
