// store_load: N raw clients of PyTorch's store protocol, to load a server and measure it.
//
//   store_load --port P --clients 4000 [--era 1.13|2.2] [--threads T] [--echo]
//
// Prints one line of JSON: seconds to connect and initialise all, seconds of a barrier of all, and
// set+wait+get (each counts) per second in a closed loop; with --server-pid the server's CPU time.
// Every reply is verified, so it is a test too. Exit codes: 0, 1 something failed (one line says
// what), 2 wrong arguments.
//
// A bench, so it may use threads: one epoll each, no shared state, joined after every phase.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/store/load_options.h"
#include "tests/bench/store/load_worker.h"

namespace muster::bench {
namespace {

constexpr std::uint32_t kOtherDescriptors = 64;
constexpr unsigned kOperationsPerRound = 3;  // SET, WAIT, GET

Status raise_descriptor_limit(std::uint32_t clients) {
  const rlim_t needed = clients + kOtherDescriptors;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return {};
  const rlimit wish{needed, std::max<rlim_t>(needed, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &wish) == 0) return {};
  return failure(ErrorCode::kLimit, std::to_string(clients) + " clients need " +
                                        std::to_string(needed) + " descriptors, the limit is " +
                                        std::to_string(limit.rlim_max) + ": raise it (ulimit -Hn)");
}

Result<std::vector<LoadWorker>> make_workers(const LoadOptions& options) {
  std::vector<LoadWorker> workers;
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < options.threads; ++i) {
    const auto last =
        static_cast<std::uint32_t>(std::uint64_t{options.clients} * (i + 1) / options.threads);
    MUSTER_TRY(worker, LoadWorker::create(options, first, last - first));
    workers.push_back(std::move(worker));
    first = last;
  }
  return workers;
}

// Seconds until all workers are through `phase`.
Result<double> measure(std::vector<LoadWorker>& workers,
                       const std::function<Status(LoadWorker&)>& phase) {
  std::vector<Status> statuses(workers.size());
  std::vector<std::thread> threads;
  const TimePoint began = Clock::now();
  for (std::size_t i = 1; i < workers.size(); ++i)
    threads.emplace_back([&workers, &statuses, &phase, i] { statuses[i] = phase(workers[i]); });
  statuses[0] = phase(workers[0]);
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - began;
  for (Status& status : statuses) MUSTER_RETURN_IF_ERROR(std::move(status));
  return took.count();
}

// User and kernel time that a process has used (proc(5)); 0 without a process.
double cpu_seconds(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_end + 1));
  std::string ignored;
  for (int i = 0; i < 11; ++i) rest >> ignored;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Status run(const LoadOptions& options) {
  MUSTER_RETURN_IF_ERROR(raise_descriptor_limit(options.clients));
  MUSTER_TRY(workers, make_workers(options));
  const double cpu_before = cpu_seconds(options.server_pid);
  MUSTER_TRY(connected, measure(workers, &LoadWorker::connect_all));
  const double cpu_connected = cpu_seconds(options.server_pid);
  MUSTER_TRY(barrier, measure(workers, &LoadWorker::run_barrier));
  const double cpu_barrier = cpu_seconds(options.server_pid);
  const TimePoint until = Clock::now() + options.measured;
  MUSTER_TRY(rounds_took,
             measure(workers, [until](LoadWorker& worker) { return worker.run_rounds(until); }));
  std::uint64_t rounds = 0;
  for (const LoadWorker& worker : workers) rounds += worker.rounds();
  const double seconds = std::chrono::duration<double>(options.measured).count();
  std::printf(
      "{\"clients\": %u, \"connect_s\": %.6f, \"barrier_s\": %.6f, \"ops_per_s\": %.0f, "
      "\"rounds\": %llu, \"rounds_took_s\": %.6f, \"connect_cpu_s\": %.3f, \"rounds_cpu_s\": "
      "%.3f}\n",
      options.clients, connected, barrier,
      static_cast<double>(rounds * kOperationsPerRound) / seconds,
      static_cast<unsigned long long>(rounds), rounds_took, cpu_connected - cpu_before,
      cpu_seconds(options.server_pid) - cpu_barrier);
  return {};
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  using namespace muster::bench;
  const auto options = parse_load_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "store_load: %s\n", options.error().message().c_str());
    return 2;
  }
  if (options->help) return 0;
  if (options->print_script) {
    std::puts(Packets(options->era, options->value_bytes).script().c_str());
    return 0;
  }
  const auto status = run(*options);
  if (status) return 0;
  std::fprintf(stderr, "store_load: %s\n", status.error().message().c_str());
  return 1;
}
