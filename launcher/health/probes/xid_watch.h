// XidWatch: listens for XID events of the GPUs while the check runs, for nodes whose kernel log the
// job may not read. The driver tells only of what happens while one listens.
//
// A child process with a deadline does it. Shell on the caller's io_context; to be started from the
// main thread of a single-threaded process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "launcher/health/probes/health_facts.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::health {

class XidWatch {
 public:
  using Done = std::function<void(Fact<std::vector<XidEvent>>)>;

  // `limit`: the longest that the check can take; the watch ends by then by itself.
  // `done` comes once, from the loop: after stop(), at the limit, or when the driver cannot.
  XidWatch(boost::asio::io_context& loop, const std::string& library, Duration limit, Done done);
  ~XidWatch();  // `done` does not come any more
  XidWatch(const XidWatch&) = delete;
  XidWatch& operator=(const XidWatch&) = delete;

  // The check is over: `done` follows at once, at most 2 s later, with what was seen. Nothing
  // happens when it came already.
  void stop();

 private:
  class Body;
  std::shared_ptr<Body> body_;  // pending handlers hold it too
};

}  // namespace muster::health
