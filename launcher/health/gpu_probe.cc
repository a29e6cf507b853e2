#include "launcher/health/gpu_probe.h"

#include <unistd.h>

#include "launcher/health/child_question.h"

namespace muster::health {

GpuProbeOptions gpu_probe_options(const Environment& environment) {
  GpuProbeOptions options;
  options.library = environment.get_or("MUSTER_NVML_LIBRARY", options.library);
  return options;
}

GpuReport probe_gpus(const GpuProbeOptions& options) {
  const std::string driver = options.proc_root + "/driver/nvidia/gpus";
  if (::access(driver.c_str(), F_OK) != 0) return {};
  const Result<std::string> answer = ChildQuestion::ask_and_wait(
      "muster-gpus", [&options]() { return encode(ask_nvml(options.library)); }, options.limit);
  if (!answer) {
    const bool late = answer.error().code() == ErrorCode::kTimeout;
    return {{}, (late ? "the GPU driver " : "the GPU probe ") + answer.error().message(), {}};
  }
  Result<GpuReport> report = parse_gpu_report(*answer);
  if (!report) return {{}, report.error().message(), {}};
  return std::move(*report);
}

}  // namespace muster::health
