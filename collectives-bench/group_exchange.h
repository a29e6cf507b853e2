// GroupExchange: the Exchange of production, over a rendezvous group.
#pragma once

#include "collectives-bench/exchange.h"
#include "rendezvous/group.h"

namespace muster::bench {

class GroupExchange : public Exchange {
 public:
  // The group outlives the exchange.
  explicit GroupExchange(rendezvous::Group& group) : group_(group) {}

  std::size_t rank() const override { return value_of(group_.index()); }
  std::size_t size() const override { return group_.size(); }
  Result<std::vector<std::string>> all_gather(std::string bytes, Duration timeout) override {
    return group_.all_gather(std::move(bytes), timeout);
  }
  Result<std::string> broadcast(std::size_t root, std::string bytes, Duration timeout) override {
    return group_.broadcast(MemberIndex{static_cast<std::uint32_t>(root)}, std::move(bytes),
                            timeout);
  }
  Status barrier(Duration timeout) override { return group_.barrier(timeout); }

 private:
  rendezvous::Group& group_;
};

}  // namespace muster::bench
