#include "launcher/process/sweep.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "launcher/process/process_table.h"
#include "rendezvous/base/fd.h"

namespace muster::process {
namespace {

constexpr Duration kBetweenLooks{50};

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// Pids of the agent's descendants; parents come before children only by chance, so to a fixed
// point.
std::set<pid_t> descendants_of(pid_t agent, const std::vector<ProcessRecord>& records) {
  std::set<pid_t> found{agent};
  for (std::size_t before = 0; before != found.size();) {
    before = found.size();
    for (const ProcessRecord& record : records)
      if (found.count(record.parent) != 0) found.insert(record.pid);
  }
  found.erase(agent);
  return found;
}

// Those in uninterruptible sleep last: looking at their environment may block.
std::vector<ProcessRecord> living_others() {
  std::vector<ProcessRecord> records = own_processes();
  std::erase_if(records, [](const ProcessRecord& record) {
    return record.is_zombie() || record.pid == ::getpid();
  });
  std::stable_partition(records.begin(), records.end(),
                        [](const ProcessRecord& record) { return record.state != 'D'; });
  return records;
}

bool left_the_agent(const SweepTarget& target, const ProcessRecord& record) {
  return record.session != target.agent_session || contains(target.groups, record.group);
}

bool carries_any(pid_t pid, const std::vector<std::string>& markers) {
  return std::any_of(markers.begin(), markers.end(),
                     [pid](const std::string& marker) { return carries_marker(pid, marker); });
}

bool is_spared(const SweepTarget& target, pid_t pid) {
  return !target.spared.empty() && carries_marker(pid, target.spared);
}

// Kills through a pidfd opened before the look, so that a reused pid is never hit.
std::vector<Fd> kill_once(const SweepTarget& target, std::vector<pid_t>& killed) {
  const std::vector<ProcessRecord> records = living_others();
  const std::set<pid_t> descendants =
      target.agent != 0 ? descendants_of(target.agent, records) : std::set<pid_t>{};
  std::vector<Fd> dying;
  for (const ProcessRecord& record : records) {
    if (record.pid == target.agent) continue;
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, record.pid, 0U)));
    if (!pidfd.is_open()) continue;
    const bool ours = descendants.count(record.pid) != 0 && left_the_agent(target, record) &&
                      !is_spared(target, record.pid);
    if (!ours && !carries_any(record.pid, target.markers)) continue;
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0U);
    if (!contains(killed, record.pid)) killed.push_back(record.pid);
    dying.push_back(std::move(pidfd));
  }
  return dying;
}

// True when all have ended; at most `limit`.
bool await_end(const std::vector<Fd>& dying, Duration limit) {
  const TimePoint until = Clock::now() + limit;
  for (const Fd& pidfd : dying) {
    const auto rest = std::chrono::ceil<Duration>(until - Clock::now());
    pollfd waited{pidfd.get(), POLLIN, 0};
    if (::poll(&waited, 1, static_cast<int>(std::max(rest, Duration{0}).count())) != 1)
      return false;
  }
  return true;
}

}  // namespace

SweepResult sweep(const SweepTarget& target, Duration limit) {
  const TimePoint until = Clock::now() + limit;
  SweepResult result;
  while (true) {
    std::vector<pid_t> killed_now;
    const std::vector<Fd> dying = kill_once(target, killed_now);
    for (const pid_t pid : killed_now)
      if (!contains(result.killed, pid)) result.killed.push_back(pid);
    if (dying.empty()) return result;
    const bool ended = await_end(dying, kBetweenLooks);
    if (Clock::now() < until) continue;
    if (!ended) result.left = killed_now;
    return result;
  }
}

}  // namespace muster::process
