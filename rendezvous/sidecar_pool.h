// SidecarPool: several sidecars, for those who have thousands of calls to make. A shell.
//
// A coordinator opens a credential of every member, and one munge call after the other would make
// the last of thousands wait for seconds. A call goes to an idle sidecar; another child is started
// only while all that run are busy. What holds for a Sidecar's call holds here, but for the order
// of the calls.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/sidecar.h"

namespace muster::rendezvous {

class SidecarPool {
 public:
  static constexpr std::size_t kMost = 4;

  // At most `most` children; more than cores are of no use. Of children that hang on_stuck is told
  // the first alone, from the loop; it may destroy the pool.
  explicit SidecarPool(asio::io_context& loop, std::size_t most = 1, SidecarOptions options = {});
  SidecarPool(const SidecarPool&) = delete;
  SidecarPool& operator=(const SidecarPool&) = delete;

  // `done` comes from the loop, exactly once unless the pool is destroyed or stopped before.
  void call(SidecarCall call, Sidecar::OnAnswer done);

  // Ends the children and forgets all calls. They hold memory that a long life does not need.
  void stop();

  std::size_t size() const { return sidecars_.size(); }  // started so far

  // What this machine has cores for, at most kMost.
  static std::size_t fitting_size();

 private:
  void tell_stuck(const Error& error);

  asio::io_context& loop_;
  std::size_t most_;
  SidecarOptions options_;
  std::function<void(const Error&)> on_stuck_;  // the owner's; empty once it has been told
  std::vector<std::unique_ptr<Sidecar>> sidecars_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace muster::rendezvous
