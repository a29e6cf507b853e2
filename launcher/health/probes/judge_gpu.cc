#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "launcher/health/probes/probe_limits.h"
#include "launcher/health/probes/probe_list.h"

namespace muster::health {

namespace {

constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> kBadReasons = {{
    {0x8, "hardware slowdown"},
    {0x20, "software thermal slowdown"},
    {0x40, "hardware thermal slowdown"},
    {0x80, "power brake"},
}};

constexpr std::array<std::string_view, 6> kActions = {"none",
                                                      "reset the GPU",
                                                      "reboot the node",
                                                      "drain P2P",
                                                      "drain P2P and reset the GPU",
                                                      "recover the IMEX domain"};

// Judges one number of each GPU; `judge(gpu, value, findings)`.
template <class Judge>
ProbeResult probe_number(const Looks& looks, const char* probe, Number GpuFacts::*member,
                         const char* value, const Judge& judge) {
  Findings findings(probe);
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    const Number& number = gpu.*member;
    if (!number.value) return findings.skip(number.absent);
    findings.pass();
    judge(gpu, *number.value, findings);
  });
  ProbeResult result = findings.result("");
  if (result.answer == Answer::kPass) result.value = value;
  return result;
}

}  // namespace

ProbeResult probe_driver(const Looks& looks) {
  Findings findings("driver");
  const HealthFacts& facts = looks.after;
  if (facts.driver_problem.empty()) {
    findings.pass();
  } else if (!facts.has_driver && looks.expected.gpus.count.value_or(0) == 0) {
    findings.skip(facts.driver_problem);
  } else {
    findings.fail("", facts.driver_problem);
  }
  const auto version = facts.versions.find("driver");
  return findings.result(version != facts.versions.end() ? version->second : "");
}

ProbeResult probe_gpu_count(const Looks& looks) {
  Findings findings("gpu_count");
  const HealthFacts& facts = looks.after;
  const std::size_t count = facts.gpus.size();
  const auto expected = looks.expected.gpus.count;
  std::string value = std::to_string(count);
  if (!facts.driver_problem.empty()) {
    findings.skip(facts.driver_problem);
    value.clear();
  } else if (expected) {
    value += fmt::format(" of {}", *expected);
    findings.pass();
    if (count != *expected) {
      findings.fail(
          "", fmt::format("the driver shows {} GPUs; the profile expects {}", count, *expected));
    }
  } else if (facts.host.gpu_files.value.value_or(0) > count) {
    findings.warn("", fmt::format("the driver shows {} GPUs, but there are {} device files", count,
                                  *facts.host.gpu_files.value));
  } else {
    findings.pass();
  }
  return findings.result(value);
}

ProbeResult probe_gpu_model(const Looks& looks) {
  Findings findings("gpu_model");
  const std::string& model = looks.expected.gpus.model;
  std::string value;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (value.empty()) value = gpu.name;
    if (model.empty()) return findings.skip("the profile names no model");
    if (gpu.name.empty()) return findings.skip("the driver does not name its GPUs");
    findings.pass();
    if (gpu.name.find(model) == std::string::npos) {
      findings.warn(gpu_name(gpu), fmt::format("is a {}; the profile expects {}", gpu.name, model));
    }
  });
  return findings.result(value);
}

ProbeResult probe_gpu_lost(const Looks& looks) {
  Findings findings("gpu_lost");
  if (!looks.after.driver_problem.empty()) {
    findings.skip(looks.after.driver_problem);
    return findings.result("");
  }
  for (const GpuFacts& gpu : looks.after.gpus) {
    findings.pass();
    if (!gpu.problem.empty()) findings.fail(gpu_name(gpu), gpu.problem);
  }
  for (const GpuFacts& gpu : looks.before.gpus) {
    if (find_gpu(looks.after, gpu) == nullptr) {
      findings.fail(gpu_name(gpu), "was there before the check and is gone after it");
    }
  }
  findings.skip("there is no GPU");
  return findings.result("");
}

ProbeResult probe_recovery_action(const Looks& looks) {
  return probe_number(looks, "recovery_action", &GpuFacts::recovery_action, "none",
                      [](const GpuFacts& gpu, std::uint64_t action, Findings& findings) {
                        if (action == 0) return;
                        const std::string what = action < kActions.size()
                                                     ? std::string(kActions[action])
                                                     : fmt::format("take action {}", action);
                        findings.fail(gpu_name(gpu), "the driver asks to " + what);
                      });
}

ProbeResult probe_gpu_mode(const Looks& looks) {
  Findings findings("gpu_mode");
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.mig_mode.value && !gpu.compute_mode.value) {
      return findings.skip(gpu.compute_mode.absent);
    }
    findings.pass();
    if (gpu.mig_mode.value.value_or(0) != 0) {
      findings.fail(gpu_name(gpu), "MIG is on; training wants whole GPUs: nvidia-smi -mig 0");
    }
    if (gpu.compute_mode.value.value_or(0) != 0) {
      findings.fail(gpu_name(gpu), "its compute mode is prohibited or exclusive: nvidia-smi -c 0");
    }
  });
  return findings.result("");
}

ProbeResult probe_persistence(const Looks& looks) {
  return probe_number(looks, "persistence", &GpuFacts::persistence, "on",
                      [](const GpuFacts& gpu, std::uint64_t is_on, Findings& findings) {
                        if (is_on != 0) return;
                        findings.warn(gpu_name(gpu),
                                      "persistence is off: each start wakes the GPU for seconds");
                      });
}

ProbeResult probe_temperature(const Looks& looks) {
  std::uint64_t hottest = 0;
  ProbeResult result =
      probe_number(looks, "temperature", &GpuFacts::temperature, "",
                   [&hottest](const GpuFacts& gpu, std::uint64_t celsius, Findings& findings) {
                     hottest = std::max(hottest, celsius);
                     if (celsius < kHotCelsius) return;
                     findings.warn(gpu_name(gpu),
                                   fmt::format("{} C; expected below {} C", celsius, kHotCelsius));
                   });
  if (result.answer != Answer::kSkip) result.value = fmt::format("up to {} C", hottest);
  return result;
}

namespace {

void judge_reasons(const GpuFacts& gpu, Findings& findings) {
  for (const auto& [bit, words] : kBadReasons) {
    if ((gpu.clock_reasons.value.value_or(0) & bit) != 0) {
      findings.warn(gpu_name(gpu), fmt::format("its clocks are lowered: {}", words));
    }
  }
}

// The time with lowered clocks covers the loaded interval, which no sample does.
std::uint64_t judge_throttle(const GpuFacts& before, const GpuFacts& after, Findings& findings) {
  std::uint64_t sum_ns = 0;
  const auto judge = [&](Number GpuFacts::*member, const char* words) {
    const Number grown = growth(before.*member, after.*member);
    if (!grown.value) return findings.skip(grown.absent);
    findings.pass();
    if (*grown.value == 0) return;
    sum_ns += *grown.value;
    findings.warn(gpu_name(after), fmt::format("{} ms of {} during the check",
                                               (*grown.value + 999'999) / 1'000'000, words));
  };
  judge(&GpuFacts::software_thermal_ns, "software thermal slowdown");
  judge(&GpuFacts::hardware_thermal_ns, "hardware thermal slowdown");
  judge(&GpuFacts::power_brake_ns, "power brake");
  return sum_ns;
}

}  // namespace

ProbeResult probe_clocks(const Looks& looks) {
  Findings findings("clocks");
  std::uint64_t slowest = UINT64_MAX;
  std::uint64_t throttled_ns = 0;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    slowest = std::min(slowest, gpu.sm_clock.value.value_or(UINT64_MAX));
    if (gpu.clock_reasons.value) {
      findings.pass();
      judge_reasons(gpu, findings);
    } else {
      findings.skip(gpu.clock_reasons.absent);
    }
    const GpuFacts* const before = find_gpu(looks.before, gpu);
    if (looks.are_two() && before != nullptr) {
      throttled_ns += judge_throttle(*before, gpu, findings);
    }
  });
  std::string value;
  if (slowest != UINT64_MAX) value = fmt::format("SM from {} MHz", slowest);
  if (throttled_ns > 0) value += fmt::format(", {} ms lowered", throttled_ns / 1'000'000);
  return findings.result(value);
}

ProbeResult probe_stale_processes(const Looks& looks) {
  Findings findings("stale_processes");
  for_each_gpu(looks.before, findings, [&](const GpuFacts& gpu) {
    if (!gpu.processes.value) return findings.skip(gpu.processes.absent);
    findings.pass();
    if (gpu.processes.value->empty()) return;
    findings.fail(gpu_name(gpu),
                  fmt::format("is in use by process {}", fmt::join(*gpu.processes.value, ", ")));
  });
  return findings.result("");
}

ProbeResult probe_gpu_memory(const Looks& looks) {
  Findings findings("gpu_memory");
  std::uint64_t most = 0;
  for_each_gpu(looks.before, findings, [&](const GpuFacts& gpu) {
    if (!gpu.memory_used.value) return findings.skip(gpu.memory_used.absent);
    findings.pass();
    most = std::max(most, *gpu.memory_used.value);
    if (*gpu.memory_used.value <= kStaleMemoryBytes) return;
    findings.fail(gpu_name(gpu),
                  fmt::format("{} MiB are in use before the job; expected at most {}",
                              *gpu.memory_used.value / kMebi, kStaleMemoryBytes / kMebi));
  });
  ProbeResult result = findings.result("");
  if (result.answer != Answer::kSkip) result.value = fmt::format("up to {} MiB", most / kMebi);
  return result;
}

}  // namespace muster::health
