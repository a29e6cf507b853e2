// What stands behind muster_group: a Group, the order of its ranks, and who may use it now.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/c_api/muster_rendezvous.h"
#include "rendezvous/group.h"

// A type of C, outside of all namespaces.
struct muster_group {
  // `ranks_are_claimed`: the members' facts begin with their ranks, see rank_order.h.
  static muster::Result<std::unique_ptr<muster_group>> join(
      const muster::rendezvous::JoinOptions& options, bool ranks_are_claimed);

  // False in a child that inherited the group by fork: the connection is its parent's.
  bool is_ours() const;
  std::uint32_t size() const { return static_cast<std::uint32_t>(order.size()); }
  muster::MemberIndex member_of(std::uint32_t its_rank) const {
    return muster::MemberIndex{order[its_rank]};
  }
  // Its texts are parts of the roster.
  muster_peer peer(std::uint32_t its_rank) const;

  muster_group(muster::rendezvous::Group joined, std::vector<std::uint32_t> ranks,
               std::size_t bytes_of_claim);

  muster::rendezvous::Group group;
  const std::vector<std::uint32_t> order;  // rank -> place in the roster
  const std::size_t claim_size;            // bytes before each member's facts
  std::uint32_t rank = 0;
  const pid_t process;
  bool left = false;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;  // a thread is in a call
};
