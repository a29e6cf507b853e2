#include "launcher/history/seen_bad.h"

#include <algorithm>

namespace muster::history {

namespace {

bool share_a_gpu(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::ranges::any_of(left, [&right](const std::string& uuid) {
    return !uuid.empty() && std::ranges::find(right, uuid) != right.end();
  });
}

bool is_same_machine(const UnfitRecord& record, const NodeIdentity& node) {
  if (!node.instance_id.empty() && record.instance_id == node.instance_id) return true;
  if (share_a_gpu(record.gpus, node.gpus)) return true;
  const bool both_are_known = !(record.instance_id.empty() && record.gpus.empty()) &&
                              !(node.instance_id.empty() && node.gpus.empty());
  return !both_are_known && record.host == node.host;
}

}  // namespace

std::vector<Record> past_findings(std::span<const Record> records, const NodeIdentity& node,
                                  std::chrono::sys_seconds now) {
  std::vector<Record> findings;
  for (const Record& record : records) {
    if (record.when < now - kMemorySpan || record.when > now + kClockSlack) continue;
    if (!is_same_machine(record.unfit, node)) continue;
    const bool is_told = std::ranges::any_of(findings, [&record](const Record& other) {
      return other.job == record.job && other.when == record.when;
    });
    if (!is_told) findings.push_back(record);
  }
  return findings;
}

bool seen_bad(std::span<const Record> records, const NodeIdentity& node,
              std::chrono::sys_seconds now) {
  return past_findings(records, node, now).size() >= kTimesSeenBad;
}

}  // namespace muster::history
