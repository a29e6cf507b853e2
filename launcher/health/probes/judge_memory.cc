#include <fmt/format.h>

#include <algorithm>

#include "launcher/health/probes/kernel_log.h"
#include "launcher/health/probes/probe_limits.h"
#include "launcher/health/probes/probe_list.h"

namespace muster::health {

ProbeResult probe_ecc_mode(const Looks& looks) {
  Findings findings("ecc_mode");
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.ecc_enabled.value) return findings.skip(gpu.ecc_enabled.absent);
    findings.pass();
    if (*gpu.ecc_enabled.value == 0) {
      findings.warn(gpu_name(gpu), "ECC is off: a flipped bit would pass unseen");
    }
  });
  return findings.result("");
}

ProbeResult probe_ecc(const Looks& looks) {
  Findings findings("ecc");
  std::uint64_t uncorrected = 0;
  std::uint64_t corrected = 0;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.ecc_uncorrected.value) return findings.skip(gpu.ecc_uncorrected.absent);
    findings.pass();
    const std::uint64_t now = *gpu.ecc_uncorrected.value;
    const std::uint64_t lifetime = gpu.ecc_uncorrected_lifetime.value.value_or(0);
    const std::uint64_t repaired = gpu.ecc_corrected.value.value_or(0);
    uncorrected += now;
    corrected += repaired;
    if (now > 0) {
      findings.fail(gpu_name(gpu), fmt::format("{} uncorrected memory errors since the driver was "
                                               "loaded; expected 0: reset the GPU",
                                               now));
    } else if (lifetime > 0) {
      findings.warn(gpu_name(gpu),
                    fmt::format("{} uncorrected memory errors in its life, none since the driver "
                                "was loaded",
                                lifetime));
    }
    if (repaired >= kManyCorrected) {
      findings.warn(gpu_name(gpu), fmt::format("{} corrected memory errors; expected fewer than {}",
                                               repaired, kManyCorrected));
    }
  });
  ProbeResult result = findings.result("");
  if (result.answer != Answer::kSkip) {
    result.value = fmt::format("{} uncorrected, {} corrected", uncorrected, corrected);
  }
  return result;
}

ProbeResult probe_row_remap(const Looks& looks) {
  Findings findings("row_remap");
  std::uint64_t rows = 0;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.remap_failed.value || !gpu.remap_pending.value) {
      return findings.skip(gpu.remap_failed.absent);
    }
    findings.pass();
    rows += gpu.rows_remapped.value.value_or(0);
    if (*gpu.remap_failed.value != 0) {
      findings.fail(gpu_name(gpu), "remapping a bad memory row failed: replace the GPU");
    } else if (*gpu.remap_pending.value != 0) {
      findings.warn(gpu_name(gpu),
                    "a memory row waits to be remapped: reset the GPU after the job");
    }
  });
  ProbeResult result = findings.result("");
  if (result.answer != Answer::kSkip) result.value = fmt::format("{} rows", rows);
  return result;
}

namespace {

// "GPU 3" of the GPU at that place, else the place.
std::string name_at(const HealthFacts& facts, const std::string& bus_id) {
  for (const GpuFacts& gpu : facts.gpus) {
    if (!gpu.bus_id.empty() && bus_id.starts_with(gpu.bus_id)) return gpu_name(gpu);
  }
  return "the GPU at " + bus_id;
}

std::string age_text(std::uint64_t seconds) {
  if (seconds < 120) return fmt::format("{} s ago", seconds);
  if (seconds < 7200) return fmt::format("{} min ago", seconds / 60);
  return fmt::format("{} h ago", seconds / 3600);
}

void judge_xid(const HealthFacts& facts, const XidEvent& event, bool is_now, Findings& findings) {
  const XidClass kind = classify_xid(event.code);
  const std::string text =
      fmt::format("XID {}, {}", event.code, is_now ? "during the check" : age_text(event.age_s));
  const bool is_old = !is_now && event.age_s > kOldXidSeconds;
  if (kind == XidClass::kFatal && !is_old) {
    findings.fail(name_at(facts, event.bus_id), text);
  } else if (kind != XidClass::kHarmless || is_now) {
    findings.warn(name_at(facts, event.bus_id), text);
  }
}

}  // namespace

ProbeResult probe_xid(const Looks& looks) {
  Findings findings("xid");
  const HostFacts& host = looks.after.host;
  std::size_t events = 0;
  for (const auto* list : {&host.kernel_xids, &host.watched_xids}) {
    if (!list->value) {
      findings.skip(list->absent);
      continue;
    }
    findings.pass();
    events += list->value->size();
    for (const XidEvent& event : *list->value) {
      judge_xid(looks.after, event, list == &host.watched_xids, findings);
    }
  }
  ProbeResult result = findings.result("");
  if (result.answer == Answer::kSkip) return result;
  result.value = fmt::format("{} events", events);
  return result;
}

}  // namespace muster::health
