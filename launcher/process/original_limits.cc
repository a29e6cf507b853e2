#include "launcher/process/original_limits.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>

namespace muster::process {
namespace {

int read_oom_score_adj() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen("/proc/self/oom_score_adj", "re"), &std::fclose);
  int value = 0;
  if (file == nullptr || std::fscanf(file.get(), "%d", &value) != 1) return 0;
  return value;
}

}  // namespace

OriginalLimits OriginalLimits::capture() {
  OriginalLimits original;
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) == 0) original.limits.push_back({resource, limit});
  }
  sigemptyset(&original.mask);
  ::sigprocmask(SIG_SETMASK, nullptr, &original.mask);
  sigemptyset(&original.ignored);
  for (int signum = 1; signum <= SIGRTMAX; ++signum) {
    struct sigaction action {};
    if (::sigaction(signum, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      sigaddset(&original.ignored, signum);
  }
  original.file_mask = ::umask(077);
  ::umask(original.file_mask);
  original.oom_score_adj = read_oom_score_adj();
  return original;
}

Status raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return failure(system_error("read the limit of open files", errno));
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return failure(system_error("raise the limit of open files", errno));
  return {};
}

}  // namespace muster::process
