// Exchange: how the ranks of one measurement talk before and between collectives.
//
// In production an adapter over rendezvous::Group; in tests, sockets to a hub. All ranks make the
// same calls in the same order. Every call blocks at most its timeout. One thread.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual std::size_t rank() const = 0;
  virtual std::size_t size() const = 0;
  // One entry a rank, in rank order.
  virtual Result<std::vector<std::string>> all_gather(std::string bytes, Duration timeout) = 0;
  virtual Result<std::string> broadcast(std::size_t root, std::string bytes, Duration timeout) = 0;
  virtual Status barrier(Duration timeout) = 0;
};

// The exchange of a world of one: every call returns at once.
class SoloExchange : public Exchange {
 public:
  std::size_t rank() const override { return 0; }
  std::size_t size() const override { return 1; }
  Result<std::vector<std::string>> all_gather(std::string bytes, Duration) override {
    return std::vector<std::string>{std::move(bytes)};
  }
  Result<std::string> broadcast(std::size_t, std::string bytes, Duration) override { return bytes; }
  Status barrier(Duration) override { return {}; }
};

}  // namespace muster::bench
