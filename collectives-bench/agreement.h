// Agreement: all ranks learn at once when one of them failed, instead of waiting for it in vain.
#pragma once

#include <string>
#include <vector>

#include "collectives-bench/exchange.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

// What is left until `deadline`, at least one millisecond (so that a call made too late still fails
// with its own text).
Duration time_left(TimePoint deadline);

// Gathers the payload of every rank. When some failed: a failed rank gets its own error, the others
// the first failed rank's, "rank 2 (node3): text", with its code. `host` is this rank's, for that
// text. Blocks until all have come.
Result<std::vector<std::string>> gather_or_fail(Exchange& exchange, const std::string& host,
                                                const Result<std::string>& own, TimePoint deadline);

// The same without payloads.
Status agree(Exchange& exchange, const std::string& host, const Status& own, TimePoint deadline);

}  // namespace muster::bench
