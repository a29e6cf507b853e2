// OrphanReaper: reaps descendants that were orphaned and adopted by us, the subreaper.
//
// Woken by SIGCHLD. It never waits for a child that has a pidfd owner: an orphan is known by being
// in another session than ours, in the group of a worker without being its leader, or in the list
// of what a sweep has killed. Helpers of the agent are none of these, as long as they stay in the
// agent's session.
//
// Shell on the caller's io_context; never blocks. No callbacks.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace muster::process {

class OrphanReaper {
 public:
  explicit OrphanReaper(boost::asio::io_context& io);
  ~OrphanReaper();
  OrphanReaper(const OrphanReaper&) = delete;
  OrphanReaper& operator=(const OrphanReaper&) = delete;

  // Workers' groups, by their leaders: members are orphans of ours, leaders are not.
  void watch_group(pid_t leader);
  void forget_group(pid_t leader);
  void expect(const std::vector<pid_t>& swept);

  // Reaps those that are zombies now.
  void reap_now();

 private:
  struct State;
  std::shared_ptr<State> state_;  // pending handlers hold it too
};

}  // namespace muster::process
