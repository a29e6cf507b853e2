#include "tests/rendezvous/hostility/flooded_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace muster::rendezvous {

namespace {

void limit_descriptors(std::size_t more) {
  const Fd next(::dup(0));
  const auto used = static_cast<rlim_t>(next.get());
  const rlimit limit{used + more, used + more};
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

template <class T>
void tell(int pipe, const T& value) {
  if (::write(pipe, &value, sizeof(value)) != sizeof(value)) ::_exit(1);
}

template <class T>
bool hear(int pipe, T& value) {
  pollfd readable{pipe, POLLIN, 0};
  return ::poll(&readable, 1, static_cast<int>(Duration(kPatience).count())) == 1 &&
         ::read(pipe, &value, sizeof(value)) == sizeof(value);
}

// UBSan examines the first virtual call of each class by means of a pipe, and takes the object for
// broken where no descriptor is left. So each class is used once before.
void rehearse() {
  Meeting meeting(expected_members(2));
  ServerObserver& observer = meeting.observed;
  observer.on_note("rehearsed");
  if (!meeting.assemble()) ::_exit(1);
}

// Serves until it is killed.
[[noreturn]] void serve(const Meeting& wishes, std::size_t descriptors, int pipe) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  rehearse();
  Meeting meeting(wishes.server_options.expected);
  meeting.server_options = wishes.server_options;
  meeting.server_options.progress_interval = std::chrono::milliseconds(20);
  meeting.session_options = wishes.session_options;
  const auto port = meeting.open_server();
  if (!port) ::_exit(1);
  meeting.join_local(0);
  const std::size_t others = wishes.server_options.expected.size() - 1;
  if (!meeting.run_until([&] { return meeting.observed.missing.size() == others; })) ::_exit(1);
  if (descriptors > 0) limit_descriptors(descriptors);
  tell(pipe, *port);
  FloodedServer::Report report;
  report.assembled = meeting.run_until([&] { return meeting.observed.roster.has_value(); });
  report.notes = meeting.observed.notes.size();
  report.out_of_descriptors = meeting.observed.noted("out of file descriptors");
  tell(pipe, report);
  meeting.loop.restart();
  meeting.loop.run_for(std::chrono::minutes(5));
  ::_exit(0);
}

// Field `index` of a line of numbers, behind the name in parentheses where there is one.
long long field_of(const std::string& path, std::size_t index) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name = text.rfind(')');
  if (name != std::string::npos) text.erase(0, name + 1);
  std::istringstream words(text);
  std::string word;
  for (std::size_t i = 0; i <= index; ++i) words >> word;
  return std::stoll(word);
}

}  // namespace

std::unique_ptr<FloodedServer> FloodedServer::start(const Meeting& meeting,
                                                    std::size_t descriptors) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  std::unique_ptr<FloodedServer> server(new FloodedServer);
  server->from_child_ = Fd(ends[0]);
  const Fd to_parent(ends[1]);
  server->pid_ = ::fork();
  if (server->pid_ == 0) serve(meeting, descriptors, to_parent.get());
  return hear(server->from_child_.get(), server->port_) ? std::move(server) : nullptr;
}

FloodedServer::~FloodedServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::size_t FloodedServer::resident_bytes() const {
  return static_cast<std::size_t>(field_of("/proc/" + std::to_string(pid_) + "/statm", 1)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

Duration FloodedServer::cpu_time() const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/stat";
  // utime and stime: fields 14 and 15 of proc(5), the name being the second.
  return Duration((field_of(path, 11) + field_of(path, 12)) * 1000 / ::sysconf(_SC_CLK_TCK));
}

FloodedServer::Report FloodedServer::await_report() const {
  Report report;
  if (!hear(from_child_.get(), report)) return {};
  return report;
}

}  // namespace muster::rendezvous
