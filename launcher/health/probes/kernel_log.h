// Finds NVIDIA's XID lines in the kernel's log. Pure.
//
//   6,1234,98765432,-;NVRM: Xid (PCI:0000:53:00): 79, pid=1234, GPU has fallen off the bus.
//
// Before the ';' stand priority, number, microseconds since boot and flags, as /dev/kmsg gives
// them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "launcher/health/probes/health_facts.h"

namespace muster::health {

// At most kMaxFactItems, the newest. `uptime_us` is now, on the log's clock.
std::vector<XidEvent> find_xids(std::string_view log, std::uint64_t uptime_us);

// What is to be done about an XID, after AWS's health check and NVIDIA's XID list.
enum class XidClass { kFatal, kSuspicious, kHarmless };
XidClass classify_xid(std::uint64_t code);

}  // namespace muster::health
