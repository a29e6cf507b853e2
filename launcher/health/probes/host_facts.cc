#include "launcher/health/probes/host_facts.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "collectives-bench/profile/profile_files.h"
#include "launcher/health/probes/kernel_log.h"
#include "rendezvous/base/fd.h"

namespace muster::health {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSmallFile = 64U << 10;
constexpr std::size_t kMaxKernelLog = 16U << 20;
constexpr std::array<std::string_view, 2> kLeftoverPrefixes = {"nccl-", "torch_"};

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::string text(kMaxSmallFile, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// Without blanks at its end; "" when it cannot be read.
std::string read_word(const std::string& path) {
  std::string text = read_file(path).value_or("");
  text.resize(std::min(text.find('\n'), text.size()));
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

// Names in a folder, sorted.
Fact<std::vector<std::string>> list_folder(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return Fact<std::vector<std::string>>::none(path + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

// The soft limit of a line of /proc/self/limits, which is what a program started now would get.
Number read_limit(const std::string& limits, std::string_view name) {
  const std::size_t line = limits.find(name);
  if (line == std::string::npos) return Number::none("/proc/self/limits does not tell it");
  std::istringstream words(limits.substr(line + name.size(), 60));
  std::string soft;
  words >> soft;
  if (soft == "unlimited") return kUnlimited;
  const auto number = number_of(soft);
  return number ? Number(*number) : Number::none("/proc/self/limits says '" + soft + "'");
}

Number read_space(const std::string& path, bool is_free) {
  struct statvfs space {};
  if (::statvfs(path.c_str(), &space) != 0) {
    return Number::none(path + ": " + std::strerror(errno));
  }
  return static_cast<std::uint64_t>(space.f_frsize) * (is_free ? space.f_bavail : space.f_blocks);
}

void read_shared_memory(const HostRoots& roots, HostFacts& host) {
  const std::string folder = roots.dev + "/shm";
  host.shm_bytes = read_space(folder, false);
  host.shm_leftovers = list_folder(folder);
  if (!host.shm_leftovers.value) return;
  std::erase_if(*host.shm_leftovers.value, [](const std::string& name) {
    return std::none_of(kLeftoverPrefixes.begin(), kLeftoverPrefixes.end(),
                        [&name](std::string_view prefix) { return name.starts_with(prefix); });
  });
}

Number count_gpu_files(const HostRoots& roots) {
  const Fact<std::vector<std::string>> names = list_folder(roots.dev);
  if (!names.value) return Number::none(names.absent);
  return static_cast<std::uint64_t>(
      std::count_if(names.value->begin(), names.value->end(), [](const std::string& name) {
        return name.starts_with("nvidia") && name.size() > 6 &&
               name.find_first_not_of("0123456789", 6) == std::string::npos;
      }));
}

// /dev/kmsg gives one record a read and EAGAIN at its end; a captured file gives all at once.
Fact<std::string> read_kernel_log(const std::string& path) {
  const Fd log(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log.is_open()) {
    return Fact<std::string>::none("the kernel's log cannot be read: " +
                                   std::string(std::strerror(errno)));
  }
  std::string text;
  std::array<char, 16384> buffer;
  while (text.size() < kMaxKernelLog) {
    const ssize_t size = ::read(log.get(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EPIPE))
      continue;  // EPIPE: a record was overwritten
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

void read_xids(const HostRoots& roots, HostFacts& host) {
  const Fact<std::string> log = read_kernel_log(roots.dev + "/kmsg");
  if (!log.value) {
    host.kernel_xids = Fact<std::vector<XidEvent>>::none(log.absent);
    return;
  }
  const std::uint64_t uptime_s = number_of(read_word(roots.proc + "/uptime")).value_or(0);
  host.kernel_xids = find_xids(*log.value, uptime_s * 1'000'000);
}

NicFacts read_nic(const std::string& folder, const std::string& name) {
  NicFacts nic;
  nic.name = name;
  nic.vendor = read_word(folder + "/device/vendor");
  const std::string state = read_word(folder + "/ports/1/state");  // "4: ACTIVE"
  nic.state = state.substr(std::min(state.size(), state.find(' ') + 1));
  const auto rate = number_of(read_word(folder + "/ports/1/rate"));  // "100 Gb/sec (4X EDR)"
  nic.rate_gbit = rate ? Number(*rate) : Number::none("its rate cannot be read");
  const std::string counters = folder + "/ports/1/hw_counters";
  for (const std::string& counter :
       list_folder(counters).value.value_or(std::vector<std::string>())) {
    if (const auto value = number_of(read_word(counters + "/" + counter))) {
      nic.counters.emplace(counter, *value);
    }
  }
  return nic;
}

void read_nics(const HostRoots& roots, HostFacts& host) {
  const std::string folder = roots.sysfs + "/class/infiniband";
  const Fact<std::vector<std::string>> names = list_folder(folder);
  std::vector<NicFacts> nics;
  for (const std::string& name : names.value.value_or(std::vector<std::string>())) {
    nics.push_back(read_nic(folder + "/" + name, name));
  }
  host.nics = std::move(nics);  // no such folder: no NIC
}

void read_software(const HostRoots& roots, HealthFacts& facts) {
  const auto keep = [&facts](const char* name, const std::string& version) {
    if (!version.empty()) facts.versions[name] = version;
  };
  keep("kernel", read_word(roots.proc + "/sys/kernel/osrelease"));
  keep("EFA module", read_word(roots.sysfs + "/module/efa/version"));
  const std::string installed = read_word(roots.system + "/opt/amazon/efa_installed_packages");
  keep("EFA installer", installed.substr(std::min(installed.size(), installed.rfind(' ') + 1)));
  for (const char* folder : {"/opt/amazon/efa/lib", "/opt/amazon/efa/lib64"}) {
    std::error_code error;
    const fs::path link = roots.system + folder + "/libfabric.so.1";
    const fs::path target = fs::read_symlink(link, error);
    if (!error) keep("libfabric", target.filename().string());
  }
  for (const char* folder :
       {"/opt/amazon/ofi-nccl/lib", "/opt/amazon/ofi-nccl/lib64",
        "/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu", "/opt/aws-ofi-nccl/lib"}) {
    const auto names = list_folder(roots.system + folder).value;
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      if (name.starts_with("libnccl-net") && name.ends_with(".so")) {
        facts.host.plugins.push_back(std::string(folder) + "/" + name);
      }
    }
  }
}

}  // namespace

void read_host_facts(const HostRoots& roots, const std::vector<std::string>& disks,
                     HealthFacts& facts) {
  HostFacts& host = facts.host;
  const bench::Machine machine = bench::read_machine(roots.sysfs);
  host.instance_type = machine.instance_type;
  host.instance_id = machine.instance_id;
  const std::string limits = read_file(roots.proc + "/self/limits").value_or("");
  host.memlock = read_limit(limits, "Max locked memory");
  host.nofile = read_limit(limits, "Max open files");
  read_shared_memory(roots, host);
  host.gpu_files = count_gpu_files(roots);
  read_xids(roots, host);
  for (const std::string& disk : disks) host.disks.push_back({disk, read_space(disk, true)});
  for (const std::string_view module : kWantedModules) {
    if (fs::exists(roots.sysfs + "/module/" + std::string(module))) {
      host.modules.emplace_back(module);
    }
  }
  read_nics(roots, host);
  read_software(roots, facts);
}

}  // namespace muster::health
