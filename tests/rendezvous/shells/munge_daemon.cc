#include "tests/rendezvous/shells/munge_daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "rendezvous/base/fd.h"
#include "rendezvous/random.h"

namespace muster::rendezvous {

namespace {

std::string find_munged() {
  for (const char* path : {"/usr/sbin/munged", "/usr/bin/munged", "/sbin/munged"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return "";
}

// The exit code; -1 when it could not be started. munged returns when it is ready to serve.
int run(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&quiet, 1, 2);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, pointers[0], &quiet, nullptr, pointers.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  if (error != 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

std::unique_ptr<MungeDaemon> MungeDaemon::start(std::string& reason) {
  const std::string program = find_munged();
  if (program.empty()) {
    reason = "munged is not installed";
    return nullptr;
  }
  std::string directory = "/tmp/muster-munge-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    reason = "no directory for munged can be made in /tmp";
    return nullptr;
  }
  ::chmod(directory.c_str(), 0711);
  std::unique_ptr<MungeDaemon> daemon(new MungeDaemon(directory));
  {
    std::ofstream key(directory + "/key", std::ios::binary);
    key << random_bytes(128);
  }
  ::chmod((directory + "/key").c_str(), 0400);
  const int code =
      run({program, "--force", "--socket=" + daemon->socket(), "--key-file=" + directory + "/key",
           "--pid-file=" + directory + "/pid", "--log-file=" + directory + "/log",
           "--seed-file=" + directory + "/seed", "--num-threads=2"});
  if (code == 0) return daemon;
  reason = "munged ended with exit code " + std::to_string(code);
  return nullptr;
}

MungeDaemon::~MungeDaemon() {
  run({find_munged(), "--stop", "--socket=" + socket()});
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace muster::rendezvous
