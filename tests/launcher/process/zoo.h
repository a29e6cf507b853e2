// What the component tests of processes and output share: a loop with a deadline, a directory that
// goes away, and plans for child_zoo.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "launcher/process/gang.h"
#include "launcher/process/marker.h"
#include "launcher/process/spawn.h"
#include "rendezvous/base/asio.h"

namespace muster::process {

// The deadline of every wait; far above what any of them takes.
inline constexpr Duration kDeadline{30'000};

// Runs the loop until `met` holds; false at the deadline.
inline bool run_until(asio::io_context& io, const std::function<bool()>& met) {
  const TimePoint until = Clock::now() + kDeadline;
  while (!met()) {
    if (Clock::now() >= until) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "muster_test_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string fifo(const std::string& name) const {
    EXPECT_EQ(::mkfifo((*this / name).c_str(), 0600), 0);
    return *this / name;
  }

 private:
  std::string path_;
};

inline std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline SpawnPlan zoo_plan(std::vector<std::string> tricks, const std::string& marker = "") {
  SpawnPlan plan;
  plan.program = CHILD_ZOO;
  plan.argv = {"child_zoo"};
  for (std::string& trick : tricks) plan.argv.push_back(std::move(trick));
  plan.envp = {"ASAN_OPTIONS=detect_leaks=0"};
  if (!marker.empty()) plan.envp.push_back(std::string(kMarkerVariable) + "=" + marker);
  return plan;
}

inline WorkerSpec zoo_worker(std::uint32_t local_rank, std::vector<std::string> tricks,
                             const std::string& marker = "") {
  return WorkerSpec{LocalRank{local_rank}, "rank " + std::to_string(local_rank),
                    zoo_plan(std::move(tricks), marker)};
}

// Remembers what a gang told.
class Recorder : public GangObserver {
 public:
  void on_started(LocalRank, pid_t pid) override { started.push_back(pid); }
  void on_start_failed(LocalRank local_rank, const Error& error, int exit_code) override {
    start_failures.push_back(std::to_string(value_of(local_rank)) + ": " + error.message() + " (" +
                             std::to_string(exit_code) + ")");
  }
  void on_exited(LocalRank local_rank, ExitStatus status, WallTime) override {
    exits.push_back(std::to_string(value_of(local_rank)) + ": " + to_string(status));
  }
  void on_killed(std::size_t workers_left) override { killed_with_left.push_back(workers_left); }
  void on_finished(const GangEnd& the_end) override {
    finished = true;
    end = the_end;
  }

  std::vector<pid_t> started;
  std::vector<std::string> start_failures;
  std::vector<std::string> exits;
  std::vector<std::size_t> killed_with_left;
  bool finished = false;
  GangEnd end;
};

}  // namespace muster::process
