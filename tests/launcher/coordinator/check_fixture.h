// A cluster without GPUs for tests of the check: obeys the orders of each round as a machine of
// given speeds would.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collectives-bench/report.h"
#include "tests/launcher/coordinator/job_fixture.h"

namespace muster::launcher {

inline bench::RankReport fabric_report(std::uint32_t rank, std::uint32_t size, double busbw) {
  bench::RankReport report;
  report.rank = rank;
  report.size = size;
  report.host = "node" + std::to_string(rank + 1);
  report.backend = "fabric";
  bench::Row row;
  row.bytes = 1 << 20;
  row.count = row.bytes / 4;
  const double moved = static_cast<double>(row.bytes) * 2.0 * (size - 1) / size;
  const double time_us = moved / (busbw * 1e3);
  row.out_of_place.time_us = row.out_of_place.mean_us = time_us;
  row.out_of_place.busbw = busbw;
  row.out_of_place.wrong = 0;
  row.in_place = row.out_of_place;
  report.rows = {row};
  return report;
}

class CheckedJob : public Job {
 public:
  explicit CheckedJob(std::uint32_t nodes, const CoordinatorOptions& options = {})
      : Job(nodes, options), speed(nodes, 1.0) {
    for (AgentFacts& one : facts) one.has_fabric_backend = true;
  }

  static CoordinatorOptions with_minimum(double busbw) {
    CoordinatorOptions options;
    options.check_min_busbw = busbw;
    options.check_sizes = bench::SizeRange{1 << 20, 1 << 20, 0, 2};
    return options;
  }

  // The groups that were ordered last: nodes of each.
  std::vector<std::vector<std::uint32_t>> last_groups() const {
    std::vector<std::vector<std::uint32_t>> groups;
    for (const Effect& effect : effects) {
      const auto* open = std::get_if<OpenCheckGroups>(&effect);
      if (open == nullptr) continue;
      groups.clear();
      for (const auto& members : open->groups) {
        groups.emplace_back();
        for (const auto& member : members) groups.back().push_back(value_of(member.node));
      }
    }
    return groups;
  }

  void open_groups() {
    feed(CheckGroupsOpened{gang(), std::vector<std::uint16_t>(last_groups().size(), 12345), "key"});
  }

  // Runs one round: a group is as fast as its slowest node, a group with a stuck node hangs.
  void run_round() {
    ++rounds;
    const GangId round = gang();
    const auto groups = last_groups();
    open_groups();
    std::uint32_t first_rank = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> waiting;  // node, round rank
    for (const auto& group : groups) {
      double busbw = 1e9;
      bool hangs = false;
      for (const std::uint32_t node : group) {
        busbw = std::min(busbw, speed[node]);
        hangs = hangs || stuck.contains(node);
      }
      for (std::uint32_t rank = 0; rank < group.size(); ++rank) {
        if (hangs) {
          waiting.emplace_back(group[rank], first_rank + rank);
        } else {
          const auto size = static_cast<std::uint32_t>(group.size());
          say(group[rank],
              GangFinished{round, {print_report(fabric_report(rank, size, busbw))}, 0});
        }
      }
      first_rank += static_cast<std::uint32_t>(group.size());
    }
    if (!waiting.empty()) end_hung(round, waiting);
  }

  void run_rounds() {
    while (coordinator.phase() == Phase::kChecking) run_round();
  }

  std::vector<double> speed;  // GB/s of each node
  std::set<std::uint32_t> stuck;
  std::uint32_t rounds = 0;

 private:
  // Stopped at the deadline; a stuck process needs SIGKILL.
  void end_hung(GangId round, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& waiting) {
    pass_deadline();
    for (const auto& [node, rank] : waiting) {
      WorkerEnd end;
      end.place.rank = Rank{rank};
      end.place.node = NodeIndex{node};
      end.status = process::ExitStatus::killed(stuck.contains(node) ? SIGKILL : SIGTERM);
      end.stop_sent = WallTime{};
      say(node, WorkerEnded{round, end});
      say(node, GangFinished{round, {""}, 0});
    }
  }
};

}  // namespace muster::launcher
