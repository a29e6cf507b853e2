#include "rendezvous/c_api/c_handle.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "rendezvous/c_api/rank_order.h"

namespace {

using muster::rendezvous::Group;
using muster::rendezvous::Member;

// A member on the server's own node reached it by loopback, which says nothing to others.
bool is_reachable(const std::string& address) {
  return !address.empty() && address.rfind("127.", 0) != 0 && address != "::1";
}

}  // namespace

muster::Result<std::unique_ptr<muster_group>> muster_group::join(
    const muster::rendezvous::JoinOptions& options, bool ranks_are_claimed) {
  MUSTER_TRY(group, Group::join(options));
  if (!ranks_are_claimed) {
    auto order = muster::rendezvous::order_of_roster(group.roster());
    return std::make_unique<muster_group>(std::move(group), std::move(order), 0);
  }
  MUSTER_TRY(order, muster::rendezvous::order_by_claims(group.roster()));
  return std::make_unique<muster_group>(std::move(group), std::move(order),
                                        muster::rendezvous::kClaimSize);
}

muster_group::muster_group(Group joined, std::vector<std::uint32_t> ranks,
                           std::size_t bytes_of_claim)
    : group(std::move(joined)),
      order(std::move(ranks)),
      claim_size(bytes_of_claim),
      process(::getpid()) {
  while (member_of(rank) != group.index()) ++rank;
}

bool muster_group::is_ours() const {
  return process == ::getpid();
}

muster_peer muster_group::peer(std::uint32_t its_rank) const {
  const auto& roster = group.roster();
  const Member& member = roster.members[order[its_rank]];
  const std::string& facts = member.description.facts;
  muster_peer peer{};
  peer.struct_size = sizeof(peer);
  peer.rank = its_rank;
  peer.node = value_of(member.description.node);
  peer.local_rank = value_of(member.description.task);
  peer.pid = member.description.pid;
  peer.host = member.description.host.c_str();
  peer.address =
      is_reachable(member.address) ? member.address.c_str() : roster.coordinator_address.c_str();
  peer.facts = facts.data() + claim_size;
  peer.facts_size = facts.size() - claim_size;
  return peer;
}
