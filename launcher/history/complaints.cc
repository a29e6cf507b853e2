#include "launcher/history/complaints.h"

#include <fmt/format.h>

#include <algorithm>

namespace muster::history {

namespace {

std::string reason_of(const UnfitRecord& record) {
  if (record.ratio > 0) return fmt::format("{}, {:.2f} of the others", record.fault, record.ratio);
  return record.evidence.empty() ? record.fault : record.fault + ": " + record.evidence;
}

}  // namespace

std::vector<slurm::NodeComplaint> complaints_of(const std::vector<UnfitRecord>& unfit) {
  std::vector<slurm::NodeComplaint> complaints;
  for (const UnfitRecord& record : unfit) {
    const auto known = std::ranges::find(complaints, record.host, &slurm::NodeComplaint::host);
    if (known == complaints.end()) {
      complaints.push_back({record.host, reason_of(record)});
    } else {
      known->reason += "; " + reason_of(record);
    }
  }
  return complaints;
}

}  // namespace muster::history
