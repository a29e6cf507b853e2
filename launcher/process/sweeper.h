// Runs a sweep in a child process with a deadline, for the loop, which must not block on /proc.
#pragma once

#include <functional>

#include "launcher/process/sweep.h"

namespace boost::asio {
class io_context;
}

namespace muster::process {

// `done` comes from the loop, once: in_time is false when the child had to be killed (or could not
// be forked), with what it had told until then.
void start_sweeper(boost::asio::io_context& io, const SweepTarget& target, Duration limit,
                   std::function<void(const SweepResult&, bool in_time)> done);

}  // namespace muster::process
