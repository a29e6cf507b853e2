// PartExchange: the exchange of one group of a world that is split. Every call is one of the whole
// world, so all groups must make the same calls in the same order: they also keep in step by it.
#pragma once

#include "collectives-bench/exchange.h"
#include "collectives-bench/grouping.h"

namespace muster::bench {

class PartExchange : public Exchange {
 public:
  // Both outlive this. The group holds the world's rank.
  PartExchange(Exchange& world, const Group& group) : world_(world), group_(group) {
    while (group.ranks[rank_] != world.rank()) ++rank_;
  }

  std::size_t rank() const override { return rank_; }
  std::size_t size() const override { return group_.ranks.size(); }
  Result<std::vector<std::string>> all_gather(std::string bytes, Duration timeout) override {
    MUSTER_TRY(all, world_.all_gather(std::move(bytes), timeout));
    std::vector<std::string> own;
    for (const std::uint32_t rank : group_.ranks) own.push_back(std::move(all[rank]));
    return own;
  }
  Result<std::string> broadcast(std::size_t root, std::string bytes, Duration timeout) override {
    MUSTER_TRY(own, all_gather(std::move(bytes), timeout));
    return std::move(own[root]);
  }
  Status barrier(Duration timeout) override { return world_.barrier(timeout); }

 private:
  Exchange& world_;
  const Group& group_;
  std::size_t rank_ = 0;
};

}  // namespace muster::bench
