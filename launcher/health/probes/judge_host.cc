#include <fmt/format.h>

#include <algorithm>

#include "launcher/health/probes/clock_offset.h"
#include "launcher/health/probes/probe_limits.h"
#include "launcher/health/probes/probe_list.h"

namespace muster::health {

namespace {

std::string size_text(std::uint64_t bytes) {
  if (bytes == kUnlimited) return "unlimited";
  if (bytes >= kGibi) return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / kGibi);
  return fmt::format("{} MiB", bytes / kMebi);
}

// nullptr, and a skip, where it is not known.
const std::uint64_t* known(const Looks& looks, const Number& number, Findings& findings) {
  if (looks.after.host_problem.empty() && number.value) return &*number.value;
  findings.skip(looks.after.host_problem.empty() ? number.absent : looks.after.host_problem);
  return nullptr;
}

// What GPU training alone needs is no fault of a machine without GPUs, such as a laptop.
bool is_for_training(const Looks& looks) {
  return looks.after.has_driver || looks.expected.gpus.count.value_or(0) > 0 ||
         looks.expected.nics.is_efa;
}

void fail_or_warn(bool is_fault, Findings& findings, const std::string& subject,
                  const std::string& text) {
  if (is_fault) {
    findings.fail(subject, text);
  } else {
    findings.warn(subject, text);
  }
}

}  // namespace

// A look that is late tells of a slow file system, not of a broken node.
ProbeResult probe_host(const Looks& looks) {
  Findings findings("host");
  findings.pass();
  if (!looks.after.host_problem.empty()) findings.warn("", looks.after.host_problem);
  return findings.result(looks.after.host.instance_type);
}

ProbeResult probe_memlock(const Looks& looks) {
  Findings findings("memlock");
  const auto* limit = known(looks, looks.after.host.memlock, findings);
  if (limit == nullptr) return findings.result("");
  findings.pass();
  if (*limit < kEfaMemlockBytes) {
    const std::string text = fmt::format(
        "at most {} can be locked; expected {} or unlimited: set LimitMEMLOCK=infinity "
        "for slurmd",
        size_text(*limit), size_text(kEfaMemlockBytes));
    fail_or_warn(looks.expected.nics.is_efa, findings, "", text);
  }
  return findings.result(size_text(*limit));
}

ProbeResult probe_nofile(const Looks& looks) {
  Findings findings("nofile");
  const auto* limit = known(looks, looks.after.host.nofile, findings);
  if (limit == nullptr) return findings.result("");
  findings.pass();
  const std::optional<std::uint32_t> demanded = looks.expected.host.nofile;
  const std::uint64_t expected = demanded.value_or(kEnoughFiles);
  if (*limit < expected) {
    fail_or_warn(demanded.has_value(), findings, "",
                 fmt::format("at most {} files can be open; expected {}: set LimitNOFILE for "
                             "slurmd, or ulimit -n",
                             *limit, expected));
  }
  return findings.result(*limit == kUnlimited ? "unlimited" : std::to_string(*limit));
}

ProbeResult probe_shm_size(const Looks& looks) {
  Findings findings("shm_size");
  const auto* size = known(looks, looks.after.host.shm_bytes, findings);
  if (size == nullptr) return findings.result("");
  findings.pass();
  if (*size <= kContainerShmBytes) {
    fail_or_warn(is_for_training(looks), findings, "",
                 fmt::format("/dev/shm has {}, a container's default; NCCL and data loaders "
                             "need more: start it with --shm-size or --ipc=host",
                             size_text(*size)));
  } else if (*size < kEnoughShmBytes) {
    findings.warn("", fmt::format("/dev/shm has {}; expected {}", size_text(*size),
                                  size_text(kEnoughShmBytes)));
  }
  return findings.result(size_text(*size));
}

ProbeResult probe_shm_leftovers(const Looks& looks) {
  Findings findings("shm_leftovers");
  const auto& names = looks.before.host.shm_leftovers;
  if (!looks.before.host_problem.empty() || !names.value) {
    findings.skip(names.value ? looks.before.host_problem : names.absent);
    return findings.result("");
  }
  findings.pass();
  if (!names.value->empty()) {
    findings.warn("",
                  fmt::format("{} of earlier jobs are left in /dev/shm, such as {}: remove them",
                              names.value->size() == 1 ? "a file" : "files", names.value->front()));
  }
  return findings.result(std::to_string(names.value->size()));
}

ProbeResult probe_disk(const Looks& looks) {
  Findings findings("disk");
  std::uint64_t least = UINT64_MAX;
  for (const DiskFacts& disk : looks.after.host.disks) {
    const auto* free = known(looks, disk.free_bytes, findings);
    if (free == nullptr) continue;
    findings.pass();
    least = std::min(least, *free);
    if (*free < kFullDiskBytes) {
      fail_or_warn(
          is_for_training(looks), findings, disk.path,
          fmt::format("{} free; expected {}", size_text(*free), size_text(kTightDiskBytes)));
    } else if (*free < kTightDiskBytes) {
      findings.warn(disk.path, fmt::format("{} free; expected {}", size_text(*free),
                                           size_text(kTightDiskBytes)));
    }
  }
  findings.skip(looks.after.host_problem.empty() ? "no folder was looked at"
                                                 : looks.after.host_problem);
  return findings.result(least == UINT64_MAX ? "" : size_text(least) + " free");
}

ProbeResult probe_clock_offset(const Looks& looks) {
  Findings findings("clock_offset");
  const Fact<std::int64_t>& offset = looks.after.clock_offset_us;
  if (!offset.value) {
    findings.skip("the clock offset " + offset.absent);
    return findings.result("");
  }
  const ClockReading reading{*offset.value,
                             static_cast<std::int64_t>(looks.after.clock_uncertainty_us)};
  const auto milliseconds = [](std::int64_t us) { return static_cast<double>(us) / 1000.0; };
  if (reading.is_surely_beyond(kClockOffsetWarnUs)) {
    // In tenths of a second: a second look says the same then, and is not told again.
    const std::string value = fmt::format("{:+.1f} s", milliseconds(reading.us) / 1000.0);
    const std::string text =
        fmt::format("its clock is {} off the median node's: is chronyd running?", value);
    if (reading.is_surely_beyond(kClockOffsetFailUs)) {
      findings.fail("", text + " (munge refuses old credentials)");
    } else {
      findings.warn("", text);
    }
    return findings.result(value);
  }
  const std::string value = fmt::format("{:+.1f} ms", milliseconds(reading.us));
  if (reading.is_surely_within(kClockOffsetWarnUs)) {
    findings.pass();
    return findings.result(value);
  }
  findings.skip(
      fmt::format("could not tell: the question was too long on its way, so the offset is "
                  "{} plus or minus {:.0f} ms",
                  value, milliseconds(reading.uncertainty_us)));
  return findings.result("");
}

}  // namespace muster::health
