#include "launcher/agent/exec_program.h"

#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "launcher/options/exit_codes.h"

namespace muster::launcher {

namespace {

std::vector<char*> pointers_of(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void give_back(const process::OriginalLimits& original) {
  for (const process::ResourceLimit& one : original.limits) {
    ::setrlimit(static_cast<__rlimit_resource_t>(one.resource), &one.limit);
  }
  for (int signum = 1; signum < NSIG; ++signum) {
    const bool ignored = sigismember(&original.ignored, signum) == 1;
    ::signal(signum, ignored ? SIG_IGN : SIG_DFL);
  }
  ::sigprocmask(SIG_SETMASK, &original.mask, nullptr);
  // By number: Ubuntu 22.04's kernel has it, not every libc's header does.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
}

}  // namespace

int exec_program(const WorkerLaunch& launch, const process::OriginalLimits& original) {
  const std::vector<char*> argv = pointers_of(launch.argv);
  const std::vector<char*> envp = pointers_of(launch.envp);
  give_back(original);
  ::execve(launch.program.c_str(), argv.data(), envp.data());
  const int error = errno;
  std::fprintf(stderr, "muster: exec %s: %s\n", launch.program.c_str(), std::strerror(error));
  return options::to_int(error == ENOENT ? options::ExitCode::kNotFound
                                         : options::ExitCode::kCannotExecute);
}

}  // namespace muster::launcher
