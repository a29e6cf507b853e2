#include "launcher/agent/node_facts.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "launcher/agent/version.h"  // generated
#include "launcher/health/gpu_probe.h"
#include "launcher/health/visible_devices.h"
#include "slurm/cpu_binding.h"

namespace muster::launcher {

namespace {

namespace fs = std::filesystem;

std::uint32_t count_own_cores() {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return std::thread::hardware_concurrency();
  return static_cast<std::uint32_t>(CPU_COUNT(&mask));
}

std::uint32_t count_online_cores() {
  return static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The same places as muster-bench looks at, which is what loads the module.
bool has_module(const Environment& environment, const std::string& own_program,
                const std::string& backend) {
  const std::string file = "muster-bench-" + backend + ".so";
  const std::string chosen = environment.get_or("MUSTER_MODULE_DIR", "");
  if (!chosen.empty()) return is_there(fs::path(chosen) / file);
  const fs::path folder = fs::path(own_program).parent_path();
  return is_there(folder / file) || is_there(folder / "../lib/muster" / file) ||
         is_there(folder / ".." / kModuleFolder / file);
}

std::string own_host(const Environment& environment) {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return environment.get_or("SLURMD_NODENAME", name);
}

void tell_gpu_problems(const Environment& environment, const health::GpuReport& report) {
  std::vector<std::string> problems = report.gpu_problems;
  const bool leads = environment.get_or("SLURM_LOCALID", "0") == "0";
  if (leads && !report.driver_problem.empty()) problems.push_back(report.driver_problem);
  for (const std::string& problem : problems) {
    std::fprintf(stderr, "muster: %s: %s\n", own_host(environment).c_str(), problem.c_str());
  }
}

// The words of CUDA_VISIBLE_DEVICES as they stand.
std::vector<std::string> devices_of_slurm(const Environment& environment) {
  std::vector<std::string> devices;
  std::stringstream list(environment.get_or("CUDA_VISIBLE_DEVICES", ""));
  for (std::string device; std::getline(list, device, ',');) devices.push_back(device);
  return devices;
}

void find_gpus(const Environment& environment, const std::string& proc_root, AgentFacts& facts) {
  plan::AgentResources& resources = facts.resources;
  if (!is_there(fs::path(proc_root) / "driver/nvidia/gpus")) {
    // GPUs that Slurm counts and no driver shows: a simulated cluster. Slurm's numbers must do.
    resources.gpus = resources.reachable_gpus = devices_of_slurm(environment);
    return;
  }
  health::GpuProbeOptions options = health::gpu_probe_options(environment);
  options.proc_root = proc_root;
  const health::GpuReport report = health::probe_gpus(options);
  tell_gpu_problems(environment, report);
  facts.driver_problem = report.driver_problem;
  facts.has_nccl_backend = true;  // as far as GPUs go
  health::GpuView view = health::view_gpus(environment.get("CUDA_VISIBLE_DEVICES"), report.uuids);
  resources.gpus = std::move(view.visible);
  resources.reachable_gpus = std::move(view.reachable);
}

}  // namespace

std::string own_program_path() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? "" : path.string();
}

std::string find_bench_program(const std::string& own_program) {
  const fs::path path = fs::path(own_program).parent_path() / "muster-bench";
  return is_there(path) ? path.string() : "";
}

AgentFacts find_node_facts(const Environment& environment, const std::string& own_program,
                           const std::string& proc_root) {
  AgentFacts facts;
  facts.version = kVersion;
  facts.resources.cores = count_own_cores();
  facts.resources.bound_by_slurm =
      slurm::is_bound_by_slurm(environment, facts.resources.cores, count_online_cores());
  find_gpus(environment, proc_root, facts);
  const bool has_bench = !find_bench_program(own_program).empty();
  facts.has_nccl_backend = facts.has_nccl_backend && has_bench && !facts.resources.gpus.empty() &&
                           has_module(environment, own_program, "nccl");
  facts.has_fabric_backend = has_bench && has_module(environment, own_program, "fabric");
  return facts;
}

}  // namespace muster::launcher
