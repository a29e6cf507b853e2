#include "launcher/health/probes/gather.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "launcher/health/child_question.h"
#include "launcher/health/probes/nvml_facts.h"
#include "launcher/health/probes/probe_limits.h"

namespace muster::health {

namespace {

constexpr Duration kStalePause{250};

bool has_stale_work(const HealthFacts& facts) {
  return std::any_of(facts.gpus.begin(), facts.gpus.end(), [](const GpuFacts& gpu) {
    return !gpu.processes.value.value_or(std::vector<std::uint64_t>()).empty() ||
           gpu.memory_used.value.value_or(0) > kStaleMemoryBytes;
  });
}

// In the child. The driver gives memory back some time after a process has ended.
std::string ask_driver(const LookOptions& options) {
  const TimePoint end = Clock::now() + options.stale_patience;
  HealthFacts facts;
  while (true) {
    facts = {};
    read_nvml_facts(options.library, facts);
    if (!has_stale_work(facts) || Clock::now() + kStalePause > end) return encode(facts);
    std::this_thread::sleep_for(kStalePause);
  }
}

std::string ask_host(const LookOptions& options) {
  HealthFacts facts;
  read_host_facts(options.roots, options.disks, facts);
  return encode(facts);
}

Result<HealthFacts> facts_of(const Result<std::string>& answer) {
  if (!answer) return failure(answer.error());
  return parse_health_facts(*answer);
}

void look_at_driver(const LookOptions& options, HealthFacts& facts) {
  facts.has_driver = ::access((options.roots.proc + "/driver/nvidia/gpus").c_str(), F_OK) == 0;
  if (!facts.has_driver) {
    facts.driver_problem = "no NVIDIA driver is loaded";
    return;
  }
  Result<HealthFacts> driver = facts_of(ChildQuestion::ask_and_wait(
      "muster-driver", [&options]() { return ask_driver(options); },
      options.driver_limit + options.stale_patience));
  if (!driver) {
    facts.driver_problem = "the GPU driver " + driver.error().message();
    return;
  }
  facts.driver_problem = std::move(driver->driver_problem);
  facts.gpus = std::move(driver->gpus);
  facts.versions = std::move(driver->versions);
}

}  // namespace

HealthFacts look_at_node(const LookOptions& options) {
  HealthFacts facts;
  look_at_driver(options, facts);
  Result<HealthFacts> host = facts_of(ChildQuestion::ask_and_wait(
      "muster-host", [&options]() { return ask_host(options); }, options.host_limit));
  if (host) {
    facts.host = std::move(host->host);
    facts.versions.merge(host->versions);
  } else {
    facts.host_problem = "the look at the host " + host.error().message();
  }
  facts.taken_at_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
          .count());
  return facts;
}

}  // namespace muster::health
