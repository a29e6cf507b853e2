// muster-simulate: N agents in a few processes meet over loopback; prints how long each step takes.
//
//   muster-simulate 4096 --auth=none
//   muster-simulate 1024 --auth=munge --delay=500 --late=10 --drop=10 --json=out.json
//
// This process runs the coordinator; its children run the agents.
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "rendezvous/ports.h"
#include "rendezvous/server.h"
#include "tests/bench/simulate/crowd.h"
#include "tests/bench/simulate/report.h"

namespace muster::simulate {
namespace {

void raise_descriptor_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

Meeting make_meeting(const Options& options) {
  Meeting meeting;
  meeting.options = options;
  meeting.incarnation = {static_cast<std::uint64_t>(::getpid()), 0, 0, "simulate"};
  meeting.ports = rendezvous::candidate_ports(meeting.incarnation, {});
  meeting.authentication = {options.method, "a key that all agents share", options.munge_socket};
  for (std::uint32_t i = 0; i < options.agents; ++i)
    meeting.expected.push_back({NodeIndex{i}, LocalTask{0}, "node" + std::to_string(10000 + i)});
  return meeting;
}

// The children, forked before this process has a loop.
std::vector<Fd> start_crowds(const Meeting& meeting, std::vector<pid_t>& children) {
  std::vector<Fd> channels;
  const std::uint32_t processes = std::min(meeting.options.processes, meeting.options.agents);
  for (std::uint32_t i = 0; i < processes; ++i) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) break;
    Fd ours(pair[0]);
    Fd theirs(pair[1]);
    const pid_t child = ::fork();
    if (child == 0) {
      channels.clear();
      ours.reset();
      const std::uint64_t agents = meeting.options.agents;
      Crowd crowd(meeting, static_cast<std::uint32_t>(agents * i / processes),
                  static_cast<std::uint32_t>(agents * (i + 1) / processes), std::move(theirs));
      crowd.run();
      ::_exit(0);
    }
    children.push_back(child);
    channels.push_back(std::move(ours));
  }
  return channels;
}

class Coordinator final : public rendezvous::ServerObserver {
 public:
  Coordinator(const Meeting& meeting, std::vector<Fd> channels) : meeting_(meeting) {
    for (Fd& channel : channels) {
      channels_.push_back(std::make_unique<Channel>(
          loop_, std::move(channel), [this](std::string_view body) { add(parse_measured(body)); },
          [this] { broken_ = true; }));
    }
  }

  Status open() {
    rendezvous::ServerOptions options;
    options.incarnation = meeting_.incarnation;
    options.expected = meeting_.expected;
    options.ports = meeting_.ports;
    options.authentication = meeting_.authentication;
    options.assembly_deadline = meeting_.options.deadline;
    MUSTER_TRY(server, rendezvous::Server::open(loop_, std::move(options), *this));
    server_ = std::move(server);
    return {};
  }

  StepTimes measure(Step step, std::uint32_t rounds) {
    StepTimes times;
    times.step = step;
    const double cpu_before = cpu_ms();
    for (std::uint32_t round = 0; round < rounds; ++round) {
      times_ = &times;
      answers_ = 0;
      last_ns_ = 0;
      const Order order{step, round, now_ns()};
      for (const auto& channel : channels_) channel->send(encode(order));
      while (answers_ < channels_.size() && !broken_) loop_.run_one();
      times.total_ms.push_back(static_cast<double>(last_ns_) / 1e6);
    }
    if (broken_) ++times.failed;
    times.coordinator_cpu_ms = cpu_ms() - cpu_before;
    return times;
  }

  void on_assembled(const rendezvous::Roster&) override {}
  void on_assembly_progress(const std::vector<rendezvous::ExpectedMember>& missing,
                            Duration) override {
    std::fprintf(stderr, "%zu agents are missing\n", missing.size());
  }
  void on_assembly_failed(const Error& error) override {
    std::fprintf(stderr, "assembly failed: %s\n", error.message().c_str());
  }
  void on_message(MemberIndex, std::string_view) override {}
  void on_member_suspect(MemberIndex, Duration) override {}
  void on_member_lost(const rendezvous::Loss&) override {}
  void on_member_left(MemberIndex) override {}
  void on_note(std::string_view line) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }

 private:
  void add(Measured measured) {
    times_->us.insert(times_->us.end(), measured.us.begin(), measured.us.end());
    if (times_->failed == 0) times_->first_error = measured.first_error;
    times_->failed += measured.failed;
    times_->agents_cpu_ms += measured.cpu_us / 1000.0;
    last_ns_ = std::max(last_ns_, measured.last_ns);
    ++answers_;
  }

  asio::io_context loop_{1};
  const Meeting& meeting_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::unique_ptr<rendezvous::Server> server_;
  StepTimes* times_ = nullptr;
  std::size_t answers_ = 0;
  std::int64_t last_ns_ = 0;
  bool broken_ = false;
};

std::vector<StepTimes> measure_all(Coordinator& coordinator, const Options& options) {
  std::vector<StepTimes> steps;
  steps.push_back(coordinator.measure(Step::kAssemble, 1));
  if (steps.back().failed > 0) return steps;
  steps.push_back(coordinator.measure(Step::kBarrier, options.rounds));
  if (options.agents <= options.skip_gather_over)
    steps.push_back(coordinator.measure(Step::kAllGather, options.rounds));
  steps.push_back(coordinator.measure(Step::kBroadcast, options.rounds));
  steps.push_back(coordinator.measure(Step::kLeave, 1));
  return steps;
}

int run(const Options& options) {
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  const Meeting meeting = make_meeting(options);
  std::vector<pid_t> children;
  std::vector<Fd> channels = start_crowds(meeting, children);
  std::vector<StepTimes> steps;
  {
    Coordinator coordinator(meeting, std::move(channels));
    const Status opened = coordinator.open();
    if (opened) {
      steps = measure_all(coordinator, options);
    } else {
      std::fprintf(stderr, "muster-simulate: %s\n", opened.error().message().c_str());
    }
  }
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  std::fputs(lines_of(options, steps).c_str(), stdout);
  if (!options.json_file.empty()) std::ofstream(options.json_file) << json_of(options, steps);
  const bool all_well = !steps.empty() && std::all_of(steps.begin(), steps.end(),
                                                      [](const auto& s) { return s.failed == 0; });
  return all_well ? 0 : 1;
}

}  // namespace
}  // namespace muster::simulate

int main(int argc, char** argv) {
  bool help = false;
  const auto options = muster::simulate::parse_options(argc, argv, help);
  if (help) return 0;
  if (!options) {
    std::fprintf(stderr, "muster-simulate: %s\n", options.error().message().c_str());
    return 2;
  }
  return muster::simulate::run(*options);
}
