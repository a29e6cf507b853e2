#include "collectives-bench/profile/job_environment.h"

#include <array>

namespace muster::bench {

namespace {

struct Obsolete {
  std::string_view name;  // one that ends in '*' stands for all that begin so
  std::string_view reason;
};

// Source of all: AWS's EFA cheat sheet (1.architectures/efa-cheatsheet.md in
// aws-samples/awsome-distributed-training) and doc/efa-env-var.md of aws/aws-ofi-nccl.
constexpr std::array kObsolete = {
    Obsolete{"FI_PROVIDER", "only plug-ins up to 1.5 need it; newer ones choose efa themselves"},
    Obsolete{"FI_EFA_FORK_SAFE", "kernels from 5.15 do not need it; the plug-in sets it"},
    Obsolete{"FI_EFA_USE_DEVICE_RDMA", "libfabric 1.18 with plug-in 1.7 does it by itself"},
    Obsolete{"FI_EFA_ENABLE_SHM_TRANSFER", "it does nothing"},
    Obsolete{"FI_EFA_SET_CUDA_SYNC_MEMOPS", "only EFA installers before 1.29.1 need it"},
    Obsolete{"NCCL_PROTO", "only plug-ins up to 1.5 need it; it keeps NCCL from choosing"},
    Obsolete{"NCCL_ALGO", "it keeps NCCL from choosing, NVLS among others"},
    Obsolete{"NCCL_TREE_THRESHOLD", "NCCL reads it no more"},
    Obsolete{"NCCL_BUFFSIZE", "the plug-in sets it for the machine"},
    Obsolete{"NCCL_MIN_CHANNELS", "NCCL's own choice is better"},
    Obsolete{"NCCL_TUNER_PLUGIN", "the plug-in brings its own"},
    Obsolete{"NCCL_SOCKET_NTHREADS", "EFA does not use it"},
    Obsolete{"NCCL_NSOCKS_PERTHREAD", "EFA does not use it"},
    Obsolete{"RDMAV_*", "it can break EFA"},
};

bool matches(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::string_view why_obsolete(std::string_view variable) {
  for (const Obsolete& one : kObsolete) {
    if (matches(variable, one.name)) return one.reason;
  }
  return {};
}

JobEnvironment choose_job_environment(const Profile& profile, const Environment& user) {
  JobEnvironment chosen;
  for (const EnvironmentSetting& setting : profile.environment) {
    const auto own = user.get(setting.name);
    if (!own) {
      chosen.added.push_back(setting);
      chosen.lines.push_back("set " + setting.name + "=" + setting.value + ": " + setting.reason);
    } else if (*own != setting.value) {
      chosen.lines.push_back("kept your " + setting.name + "=" + std::string(*own) +
                             "; the profile " + profile.name + " would set " + setting.value +
                             ": " + setting.reason);
    }
  }
  if (!profile.nics.is_efa) return chosen;
  for (const auto& [name, value] : user.variables()) {
    const std::string_view reason = why_obsolete(name);
    if (reason.empty()) continue;
    chosen.lines.push_back("you set " + name + "=" + value + ": " + std::string(reason) +
                           "; better leave it out");
  }
  return chosen;
}

}  // namespace muster::bench
