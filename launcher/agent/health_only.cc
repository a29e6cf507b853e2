#include "launcher/agent/health_only.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>

#include "collectives-bench/profile/profile_files.h"
#include "launcher/agent/node_facts.h"
#include "launcher/agent/result_files.h"
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

std::string own_host(const Environment& environment) {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return environment.get_or("SLURMD_NODENAME", name.data());
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
  const Status written = write_reports(options, print_health_report(record));
  return written ? record.exit_code : refuse(written.error(), options::ExitCode::kInternal);
}

}  // namespace muster::launcher
