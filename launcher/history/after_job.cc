#include "launcher/history/after_job.h"

#include "launcher/history/complaints.h"
#include "launcher/history/node_drain.h"
#include "launcher/history/node_memory.h"

namespace muster::history {

std::vector<std::string> act_on_unfit(const std::vector<UnfitRecord>& unfit, const AfterJob& wishes,
                                      std::chrono::sys_seconds now, const Environment& environment,
                                      const process::OriginalLimits& original) {
  std::vector<std::string> lines;
  if (unfit.empty()) return lines;
  if (!wishes.memory_file.empty()) {
    std::vector<Record> records;
    for (const UnfitRecord& one : unfit) records.push_back({now, wishes.job, one});
    const Status kept = remember(wishes.memory_file, records);
    if (!kept) lines.push_back("the verdict is not remembered: " + kept.error().message());
  }
  if (wishes.drain) {
    const auto commands = slurm::node_commands(complaints_of(unfit), wishes.cluster);
    for (std::string& line : run_node_commands(commands, environment, original)) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace muster::history
