#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "launcher/health/probes/host_facts.h"
#include "launcher/health/probes/probe_list.h"

namespace muster::health {

namespace {

constexpr const char* kNoEfa = "the profile expects no EFA";

// What a healthy network does not count; of /sys/class/infiniband/DEVICE/ports/1/hw_counters.
constexpr std::array<std::string_view, 6> kErrorCounters = {"rx_drops",
                                                            "rdma_read_wr_err",
                                                            "rdma_write_wr_err",
                                                            "retrans_timeout_events",
                                                            "impaired_remote_conn_events",
                                                            "unresponsive_remote_events"};

// The EFA devices of a look; skips where none is expected or the host could not be asked.
template <class Judge>
void for_each_efa(const Looks& looks, Findings& findings, const Judge& judge) {
  const HealthFacts& facts = looks.after;
  if (!looks.expected.nics.is_efa) return findings.skip(kNoEfa);
  if (!facts.host_problem.empty()) return findings.skip(facts.host_problem);
  if (!facts.host.nics.value) return findings.skip(facts.host.nics.absent);
  findings.skip("there is no EFA device");
  for (const NicFacts& nic : *facts.host.nics.value) {
    if (nic.is_efa()) judge(nic);
  }
}

const NicFacts* find_nic(const HealthFacts& facts, const std::string& name) {
  if (!facts.host.nics.value) return nullptr;
  for (const NicFacts& nic : *facts.host.nics.value) {
    if (nic.name == name) return &nic;
  }
  return nullptr;
}

Number counter_of(const NicFacts& nic, std::string_view name) {
  const auto found = nic.counters.find(std::string(name));
  if (found == nic.counters.end()) return Number::none(fmt::format("it has no {}", name));
  return found->second;
}

}  // namespace

ProbeResult probe_efa_count(const Looks& looks) {
  Findings findings("efa_count");
  std::size_t count = 0;
  for_each_efa(looks, findings, [&count](const NicFacts&) { ++count; });
  const auto expected = looks.expected.nics.count;
  const bool was_read = looks.after.host_problem.empty() && looks.after.host.nics.value;
  if (!looks.expected.nics.is_efa || !was_read) return findings.result("");
  std::string value = std::to_string(count);
  findings.pass();
  if (expected) {
    value += fmt::format(" of {}", *expected);
    if (count != *expected) {
      findings.fail(
          "", fmt::format("there are {} EFA devices; the profile expects {}", count, *expected));
    }
  } else if (count == 0) {
    findings.fail("", "there is no EFA device; the profile expects them");
  }
  return findings.result(value);
}

ProbeResult probe_efa_link(const Looks& looks) {
  Findings findings("efa_link");
  std::uint64_t slowest = UINT64_MAX;
  for_each_efa(looks, findings, [&](const NicFacts& nic) {
    findings.pass();
    if (nic.state != "ACTIVE") {
      findings.fail(nic.name, fmt::format("its link is {}; expected ACTIVE",
                                          nic.state.empty() ? "of unknown state" : nic.state));
      return;
    }
    if (!nic.rate_gbit.value) return;
    slowest = std::min(slowest, *nic.rate_gbit.value);
    const auto wanted = looks.expected.nics.gbit_per_second;
    if (wanted && *nic.rate_gbit.value < *wanted) {
      findings.warn(nic.name, fmt::format("its link has {} Gbit/s; the profile expects {}",
                                          *nic.rate_gbit.value, *wanted));
    }
  });
  return findings.result(slowest == UINT64_MAX ? "" : fmt::format("{} Gbit/s", slowest));
}

ProbeResult probe_efa_errors(const Looks& looks) {
  Findings findings("efa_errors");
  if (looks.expected.nics.is_efa && !looks.are_two()) {
    findings.skip(kNeedsTwoLooks);
    return findings.result("");
  }
  std::uint64_t sum = 0;
  for_each_efa(looks, findings, [&](const NicFacts& nic) {
    const NicFacts* const before = find_nic(looks.before, nic.name);
    if (before == nullptr) return;
    for (const std::string_view counter : kErrorCounters) {
      const Number grown = growth(counter_of(*before, counter), counter_of(nic, counter));
      if (!grown.value) continue;
      findings.pass();
      sum += *grown.value;
      if (*grown.value > 0) {
        findings.warn(nic.name,
                      fmt::format("{} grew by {} during the check", counter, *grown.value));
      }
    }
  });
  ProbeResult result = findings.result("");
  if (result.answer != Answer::kSkip) result.value = fmt::format("+{}", sum);
  return result;
}

ProbeResult probe_modules(const Looks& looks) {
  Findings findings("modules");
  const HealthFacts& facts = looks.after;
  if (!looks.expected.nics.is_efa || !facts.host_problem.empty()) {
    findings.skip(facts.host_problem.empty() ? kNoEfa : facts.host_problem);
    return findings.result("");
  }
  findings.pass();
  const std::vector<std::string>& loaded = facts.host.modules;
  for (const std::string_view module : kWantedModules) {
    if (std::find(loaded.begin(), loaded.end(), module) != loaded.end()) continue;
    const std::string text = fmt::format("the kernel module {} is not loaded", module);
    if (module == "gdrdrv") {
      findings.warn("", text);
    } else {
      findings.fail("", text);
    }
  }
  return findings.result(fmt::format("{}", fmt::join(loaded, " ")));
}

ProbeResult probe_plug_in(const Looks& looks) {
  Findings findings("plug_in");
  const HealthFacts& facts = looks.after;
  if (!looks.expected.nics.is_efa || !facts.host_problem.empty()) {
    findings.skip(facts.host_problem.empty() ? kNoEfa : facts.host_problem);
    return findings.result("");
  }
  findings.pass();
  if (!facts.nccl.plugin_version.empty()) {
    return findings.result("used: " + facts.nccl.plugin_version);
  }
  if (facts.host.plugins.empty()) {
    findings.warn("",
                  "no network plug-in of NCCL in /opt/amazon/ofi-nccl or /opt/aws-ofi-nccl; "
                  "without one NCCL uses TCP");
    return findings.result("");
  }
  return findings.result(facts.host.plugins.front());
}

// What NCCL itself says it uses; not what is installed.
ProbeResult probe_network(const Looks& looks) {
  Findings findings("network");
  const NcclFacts& nccl = looks.after.nccl;
  if (nccl.network.empty()) {
    findings.skip(nccl.version.empty()
                      ? "NCCL did not say which network it uses"
                      : "NCCL did not say which network it uses (is NCCL_DEBUG set?)");
    return findings.result("");
  }
  findings.pass();
  if (!looks.expected.nics.is_efa) return findings.result(describe_network(nccl));
  const auto blame = [&](const std::string& text) {
    if (looks.expected.needs_network) return findings.fail("", text);
    findings.warn("", text + " (of no harm on one node)");
  };
  if (nccl.network == "Socket") {
    blame(
        "NCCL fell back to TCP sockets on a machine that has EFA: is the plug-in aws-ofi-nccl in "
        "LD_LIBRARY_PATH?");
  } else if (!nccl.provider.empty() && nccl.provider != "efa") {
    blame(fmt::format("the plug-in chose the provider {}; expected efa", nccl.provider));
  } else if (nccl.network == "IB") {
    blame("NCCL uses its own InfiniBand transport; expected the plug-in aws-ofi-nccl");
  }
  const auto wanted = looks.expected.nics.count;
  if (wanted && nccl.nics > 0 && nccl.nics < *wanted) {
    findings.warn(
        "", fmt::format("the plug-in found {} NICs; the profile expects {}", nccl.nics, *wanted));
  }
  if (nccl.net_channels > nccl.direct_channels) {
    findings.warn("",
                  fmt::format("{} of {} network channels go without GPUDirect RDMA, through the "
                              "host's memory",
                              nccl.net_channels - nccl.direct_channels, nccl.net_channels));
  }
  return findings.result(describe_network(nccl));
}

}  // namespace muster::health
