// child_zoo: one child program that misbehaves on order. Its arguments are tricks, done in order:
//
//   child_zoo print hello report-signals - wait
//
// `child_zoo --help` lists them. After the last trick it exits 0.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

int report_fd = -1;
const char* self_path = nullptr;

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t size = ::write(fd, text.data() + done, text.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) ::_exit(111);
    done += static_cast<std::size_t>(size);
  }
}

// "-" is stdout; anything else a file or fifo, opened for append.
int open_output(const std::string& path) {
  if (path == "-") return 1;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) {
    std::perror(path.c_str());
    ::_exit(110);
  }
  return fd;
}

int signal_from(const std::string& name) {
  if (name == "TERM") return SIGTERM;
  if (name == "INT") return SIGINT;
  if (name == "HUP") return SIGHUP;
  if (name == "USR1") return SIGUSR1;
  if (name == "USR2") return SIGUSR2;
  if (name == "CONT") return SIGCONT;
  if (name == "QUIT") return SIGQUIT;
  if (name == "SEGV") return SIGSEGV;
  if (name == "ABRT") return SIGABRT;
  if (name == "KILL") return SIGKILL;
  return std::atoi(name.c_str());
}

void on_signal(int signum) {
  char line[] = "signal 00\n";
  line[7] = static_cast<char>('0' + signum / 10);
  line[8] = static_cast<char>('0' + signum % 10);
  [[maybe_unused]] const ssize_t n = ::write(report_fd, line, sizeof line - 1);
}

void report_signals(const std::string& path) {
  report_fd = open_output(path);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signum : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGQUIT})
    ::sigaction(signum, &action, nullptr);
}

[[noreturn]] void wait_for_ever() {
  while (true) ::pause();
}

void die(int signum) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(signum, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signum);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(::getpid(), signum);
  wait_for_ever();
}

void tell_pid(const std::string& path) {
  write_all(open_output(path), std::to_string(::getpid()) + "\n");
}

// Leaves a process behind that ignores TERM; `away` puts it in a session of its own.
void leave_behind(const std::string& path, bool away, bool clean) {
  if (::fork() != 0) return;
  if (away) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
  }
  ::signal(SIGTERM, SIG_IGN);
  if (clean) {
    const std::string program(self_path);
    const char* argv[] = {"child_zoo", "ignore", "TERM", "tell-pid", path.c_str(), "wait", nullptr};
    const char* nothing[] = {nullptr};
    ::execve(program.c_str(), const_cast<char**>(argv), const_cast<char**>(nothing));
    ::_exit(112);
  }
  tell_pid(path);
  wait_for_ever();
}

// Blocks until somebody writes to the fifo.
void await_fifo(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  if (fd < 0 || ::read(fd, &byte, 1) < 0) ::_exit(113);
  ::close(fd);
}

Json signal_numbers(const std::function<bool(int)>& holds) {
  Json numbers = Json::array();
  for (int signum = 1; signum <= SIGRTMAX; ++signum)
    if (holds(signum)) numbers.push_back(signum);
  return numbers;
}

Json open_descriptors() {
  Json numbers = Json::array();
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(folder)) numbers.push_back(fd);
  }
  ::closedir(folder);
  return numbers;
}

Json environment() {
  Json variables = Json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

Json processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  Json numbers = Json::array();
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) numbers.push_back(cpu);
  return numbers;
}

void describe(const std::string& path) {
  Json about;
  about["fds"] = open_descriptors();
  about["environment"] = environment();
  about["cpus"] = processors();
  about["pid"] = ::getpid();
  about["group"] = ::getpgid(0);
  about["session"] = ::getsid(0);
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  about["mask"] = signal_numbers([&](int signum) { return sigismember(&mask, signum) == 1; });
  about["ignored"] = signal_numbers([](int signum) {
    struct sigaction action {};
    return ::sigaction(signum, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
  });
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  about["open_files"] = files.rlim_cur;
  const mode_t file_mask = ::umask(0);
  ::umask(file_mask);
  about["umask"] = file_mask;
  char* cwd = ::getcwd(nullptr, 0);
  about["cwd"] = cwd == nullptr ? "" : cwd;
  std::free(cwd);
  std::string score;
  std::ifstream("/proc/self/oom_score_adj") >> score;
  about["oom_score_adj"] = std::atoi(score.c_str());
  write_all(open_output(path), about.dump() + "\n");
}

void flood(int lines, int bytes) {
  std::string chunk;
  for (int i = 0; i < lines; ++i) {
    std::string line = "line " + std::to_string(i) + " ";
    line.resize(std::max(line.size(), static_cast<std::size_t>(bytes)), 'x');
    chunk += line + "\n";
    if (chunk.size() < 65536 && i + 1 < lines) continue;
    write_all(1, chunk);
    chunk.clear();
  }
}

struct Trick {
  const char* name;
  std::size_t arguments;
  const char* help;
  std::function<void(const Arguments&)> run;
};

bool skip_next = false;

void only_if(const char* variable, const std::string& value) {
  const char* present = std::getenv(variable);
  skip_next = present == nullptr || value != present;
}

const std::vector<Trick>& tricks() {
  static const std::vector<Trick> all = {
      {"exit", 1, "N: exit with code N", [](auto& a) { ::_exit(std::atoi(a[0].c_str())); }},
      {"die", 1, "SIGNAL: die of it, no core", [](auto& a) { die(signal_from(a[0])); }},
      {"ignore", 1, "SIGNAL", [](auto& a) { ::signal(signal_from(a[0]), SIG_IGN); }},
      {"report-signals", 1, "FILE: a line 'signal NN' for each, and live on",
       [](auto& a) { report_signals(a[0]); }},
      {"wait", 0, ": for ever", [](auto&) { wait_for_ever(); }},
      {"await-fifo", 1, "FIFO: until somebody writes to it", [](auto& a) { await_fifo(a[0]); }},
      {"sleep", 1, "MS",
       [](auto& a) {
         std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(a[0].c_str())));
       }},
      {"tell-pid", 1, "FILE: append the pid", [](auto& a) { tell_pid(a[0]); }},
      {"append", 2, "FILE TEXT", [](auto& a) { write_all(open_output(a[0]), a[1] + "\n"); }},
      {"print", 1, "TEXT: a line on stdout", [](auto& a) { write_all(1, a[0] + "\n"); }},
      {"print-error", 1, "TEXT: a line on stderr", [](auto& a) { write_all(2, a[0] + "\n"); }},
      {"print-env", 1, "NAME: a line NAME=value on stdout",
       [](auto& a) {
         const char* value = std::getenv(a[0].c_str());
         write_all(1, a[0] + "=" + (value == nullptr ? "" : value) + "\n");
       }},
      {"half", 1, "TEXT: on stdout, no newline", [](auto& a) { write_all(1, a[0]); }},
      {"flood", 2, "LINES BYTES: numbered lines on stdout",
       [](auto& a) { flood(std::atoi(a[0].c_str()), std::atoi(a[1].c_str())); }},
      {"long", 1, "BYTES: one line of that length on stdout",
       [](auto& a) {
         const auto size = static_cast<std::size_t>(std::atoll(a[0].c_str()));
         write_all(1, std::string(size, 'y') + "\n");
       }},
      {"close-stdout", 0, ": and stderr",
       [](auto&) {
         ::close(1);
         ::close(2);
       }},
      {"grandchild", 1,
       "FILE: leave a child in the group; it ignores TERM, holds stdout, tells pid",
       [](auto& a) { leave_behind(a[0], false, false); }},
      {"daemon", 1, "FILE: the same, in a session of its own, its parent gone",
       [](auto& a) { leave_behind(a[0], true, false); }},
      {"clean-daemon", 1, "FILE: the same, with an empty environment",
       [](auto& a) { leave_behind(a[0], true, true); }},
      {"saver", 2, "FIFO FILE: leave a child in the group that awaits FIFO, then appends to FILE",
       [](auto& a) {
         if (::fork() != 0) return;
         await_fifo(a[0]);
         write_all(open_output(a[1]), "saved\n");
         ::_exit(0);
       }},
      {"describe", 1, "FILE: fds, environment, limits, masks ... as one line of JSON",
       [](auto& a) { describe(a[0]); }},
      {"if-rank", 1, "R: the next trick only if RANK is R", [](auto& a) { only_if("RANK", a[0]); }},
      {"if-local-rank", 1, "R: the next trick only if LOCAL_RANK is R",
       [](auto& a) { only_if("LOCAL_RANK", a[0]); }},
      {"if-attempt", 1, "N: the next trick only if TORCHELASTIC_RESTART_COUNT is N",
       [](auto& a) { only_if("TORCHELASTIC_RESTART_COUNT", a[0]); }},
  };
  return all;
}

int print_help() {
  std::puts(
      "usage: child_zoo TRICK [arguments] [TRICK [arguments]] ...; FILE may be -, for stdout");
  for (const Trick& trick : tricks()) std::printf("  %s %s\n", trick.name, trick.help);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  static const std::string path = [] {
    std::string text(4096, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }();
  self_path = path.c_str();
  const Arguments words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "--help") return print_help();
  for (std::size_t at = 0; at < words.size();) {
    const Trick* chosen = nullptr;
    for (const Trick& trick : tricks())
      if (words[at] == trick.name) chosen = &trick;
    if (chosen == nullptr || words.size() - at - 1 < chosen->arguments) {
      std::fprintf(stderr, "child_zoo: no trick '%s' with these arguments; see --help\n",
                   words[at].c_str());
      return 109;
    }
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(at) + 1;
    const auto last = first + static_cast<std::ptrdiff_t>(chosen->arguments);
    at += 1 + chosen->arguments;
    if (skip_next) {
      skip_next = false;
      continue;
    }
    chosen->run(Arguments(first, last));
  }
  return 0;
}
