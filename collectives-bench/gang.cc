#include "collectives-bench/gang.h"

namespace muster::bench {

std::string_view to_string(BackendKind kind) {
  return kind == BackendKind::kNccl ? "nccl" : "fabric";
}

std::vector<std::string> gang_arguments(const CheckSpec& spec) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(spec.deadline).count();
  std::vector<std::string> arguments = {"all_reduce",
                                        "--backend",
                                        std::string(to_string(spec.backend)),
                                        "-b",
                                        std::to_string(spec.sizes.min_bytes),
                                        "-e",
                                        std::to_string(spec.sizes.max_bytes),
                                        "-n",
                                        std::to_string(spec.iterations),
                                        "-w",
                                        std::to_string(spec.warmup),
                                        "--deadline",
                                        std::to_string(seconds),
                                        "--report-fd",
                                        std::to_string(spec.report_fd)};
  const auto add = [&arguments](const char* name, std::string value) {
    arguments.emplace_back(name);
    arguments.push_back(std::move(value));
  };
  if (spec.sizes.factor != 0) {
    add("-f", std::to_string(spec.sizes.factor));
  } else {
    add("-i", std::to_string(spec.sizes.step_bytes));
  }
  if (!spec.in_place) arguments.emplace_back("--out-of-place");
  if (!spec.interface.empty()) add("--interface", spec.interface);
  if (!spec.nccl_library.empty()) add("--nccl-library", spec.nccl_library);
  return arguments;
}

}  // namespace muster::bench
