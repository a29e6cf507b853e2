#include "launcher/options/options.h"

namespace muster::options {

std::string to_string(const WorkersPerNode& workers) {
  switch (workers.wish) {
    case WorkersPerNode::Wish::kAbsent:
      return "absent";
    case WorkersPerNode::Wish::kNumber:
      return std::to_string(workers.count);
    case WorkersPerNode::Wish::kGpu:
      return "gpu";
    case WorkersPerNode::Wish::kCpu:
      return "cpu";
    case WorkersPerNode::Wish::kAuto:
      return "auto";
  }
  return "";
}

std::string_view to_string(CheckMode mode) {
  switch (mode) {
    case CheckMode::kAuto:
      return "auto";
    case CheckMode::kNccl:
      return "nccl";
    case CheckMode::kFabric:
      return "fabric";
    case CheckMode::kOff:
      return "off";
  }
  return "";
}

std::string_view to_string(StoreMode mode) {
  switch (mode) {
    case StoreMode::kAgent:
      return "agent";
    case StoreMode::kRank0:
      return "rank0";
  }
  return "";
}

std::string_view to_string(AdmissionMode mode) {
  switch (mode) {
    case AdmissionMode::kUid:
      return "uid";
    case AdmissionMode::kNode:
      return "node";
    case AdmissionMode::kOpen:
      return "open";
  }
  return "";
}

std::string_view to_string(OutputTarget target) {
  switch (target) {
    case OutputTarget::kConsole:
      return "console";
    case OutputTarget::kFiles:
      return "files";
    case OutputTarget::kBoth:
      return "both";
  }
  return "";
}

}  // namespace muster::options
