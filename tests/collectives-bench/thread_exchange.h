// run_ranks: an exchange between threads of one test, for code that takes an Exchange.
#pragma once

#include <functional>

#include "collectives-bench/exchange.h"

namespace muster::bench::testing {

// Runs `body` once a rank, each on a thread of its own, and waits for all.
void run_ranks(std::size_t size, const std::function<void(Exchange&)>& body);

}  // namespace muster::bench::testing
