#include "rendezvous/helper_process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>

#ifndef MUSTER_INSTALLED_LIBEXEC_DIR
#error "MUSTER_INSTALLED_LIBEXEC_DIR is set by rendezvous/shells.cmake"
#endif

namespace muster::rendezvous {

namespace {

constexpr const char* kProgramName = "muster-rendezvous";

std::string own_directory() {
  std::array<char, 4096> buffer;
  const ssize_t size = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (size <= 0) return ".";
  const std::string path(buffer.data(), static_cast<std::size_t>(size));
  return path.substr(0, path.rfind('/'));
}

// Of the shared library that holds this code; "" when it is part of the program.
std::string library_directory() {
  Dl_info found{};
  if (::dladdr(&kProgramName, &found) == 0 || found.dli_fname == nullptr) return "";
  const std::string path(found.dli_fname);
  if (path.rfind('/', 0) != 0) return "";  // the program itself, as it was called
  return path.substr(0, path.rfind('/'));
}

// The first of those that are one and the same, whether they are there or not.
std::vector<std::string> each_once(const std::vector<std::string>& directories) {
  std::vector<std::string> different;
  std::vector<std::filesystem::path> seen;
  for (const std::string& directory : directories) {
    std::error_code error;
    std::filesystem::path real = std::filesystem::weakly_canonical(directory, error);
    if (error) real = directory;
    if (std::find(seen.begin(), seen.end(), real) != seen.end()) continue;
    seen.push_back(std::move(real));
    different.push_back(directory);
  }
  return different;
}

std::vector<std::string> places(const Environment& environment) {
  const auto chosen = environment.get("MUSTER_LIBEXEC_DIR");
  if (chosen && !chosen->empty()) return {std::string(*chosen)};
  std::vector<std::string> directories;
  // The library first: its version is ours. lib/ or lib/x86_64-linux-gnu/ of a prefix.
  if (const std::string library = library_directory(); !library.empty())
    directories = {library, library + "/../libexec/muster", library + "/../../libexec/muster"};
  const std::string own = own_directory();
  directories.insert(directories.end(),
                     {own, own + "/../libexec/muster", MUSTER_INSTALLED_LIBEXEC_DIR});
  return each_once(directories);
}

// What posix_spawn is told beside path and arguments. Signals that a launcher or an embedding
// program blocks or ignores must not be so in the child.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  int prepare(int socket, bool keep_stderr) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = ::posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
    if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, 1);
    if (error == 0 && !keep_stderr)
      error = ::posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    return error;
  }

  int spawn(pid_t& pid, const std::string& program, const std::string& command) {
    std::string name(kProgramName);
    std::string argument(command);
    const std::array<char*, 3> arguments{name.data(), argument.data(), nullptr};
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments.data(),
                         ::environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Result<std::string> find_helper_program(const Environment& environment) {
  std::string tried;
  for (const std::string& directory : places(environment)) {
    std::string path = directory + "/" + kProgramName;
    if (::access(path.c_str(), X_OK) == 0) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  return failure(ErrorCode::kNotFound,
                 "muster-rendezvous is not there (tried " + tried +
                     "); set MUSTER_LIBEXEC_DIR to the directory that holds it");
}

Result<std::string> find_helper_program() {
  return find_helper_program(Environment::from_block(::environ));
}

Result<HelperProcess> HelperProcess::spawn(const std::string& program, const std::string& command,
                                           Stderr where) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return failure(system_error("start " + program + ": socketpair", errno));
  HelperProcess child;
  child.socket_.reset(pair[0]);
  const Fd theirs(pair[1]);
  SpawnPlan plan;
  int error = plan.prepare(theirs.get(), where == Stderr::kOurs);
  if (error == 0) error = plan.spawn(child.pid_, program, command);
  if (error != 0) {
    child.pid_ = -1;
    return failure(system_error("start " + program, error));
  }
  child.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  return child;
}

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : socket_(std::move(other.socket_)),
      pidfd_(std::move(other.pidfd_)),
      pid_(std::exchange(other.pid_, -1)) {}

HelperProcess& HelperProcess::operator=(HelperProcess&& other) noexcept {
  if (this != &other) {
    kill();
    socket_ = std::move(other.socket_);
    pidfd_ = std::move(other.pidfd_);
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

HelperProcess::~HelperProcess() {
  kill();
}

void HelperProcess::kill() {
  socket_.reset();
  if (pid_ <= 0) return;
  // The pidfd cannot hit a stranger should someone else have reaped our child.
  if (pidfd_.is_open()) {
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  } else {
    ::kill(pid_, SIGKILL);
  }
  wait_for_end(std::chrono::seconds(1));
  abandon();
}

void HelperProcess::abandon() {
  socket_.reset();
  pidfd_.reset();
  pid_ = -1;
}

bool HelperProcess::wait_for_end(Duration limit) {
  if (pid_ <= 0) return true;
  const TimePoint end = Clock::now() + limit;
  bool has_ended = false;
  while (true) {
    const auto rest = std::chrono::duration_cast<Duration>(end - Clock::now());
    pollfd end_of_child{pidfd_.get(), POLLIN, 0};
    const int ready =
        ::poll(&end_of_child, 1, static_cast<int>(std::max<std::int64_t>(rest.count(), 0)));
    has_ended = ready > 0;
    if (ready >= 0 || errno != EINTR) break;
  }
  // An orphan reaper of the embedding process may have been quicker: ECHILD means ended too.
  // The pidfd may be ready a moment before the child can be waited for.
  const pid_t reaped = ::waitpid(pid_, nullptr, has_ended ? 0 : WNOHANG);
  if (reaped == 0) return false;
  abandon();
  return true;
}

}  // namespace muster::rendezvous
