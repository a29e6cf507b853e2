// SocketExchange: an Exchange over one socket to a hub that gathers one frame of each rank and
// sends all of them to everyone. For tests that join processes without a rendezvous.
#pragma once

#include <string>
#include <vector>

#include "collectives-bench/exchange.h"
#include "rendezvous/base/fd.h"

namespace muster::bench::testing {

// A frame is a u32 length (little endian) and that many bytes.
Status write_frame(int socket, std::string_view bytes);
Result<std::string> read_frame(int socket, TimePoint deadline);

class SocketExchange : public Exchange {
 public:
  SocketExchange(Fd socket, std::size_t rank, std::size_t size)
      : socket_(std::move(socket)), rank_(rank), size_(size) {}

  std::size_t rank() const override { return rank_; }
  std::size_t size() const override { return size_; }
  Result<std::vector<std::string>> all_gather(std::string bytes, Duration timeout) override;
  Result<std::string> broadcast(std::size_t root, std::string bytes, Duration timeout) override;
  Status barrier(Duration timeout) override;

 private:
  Fd socket_;
  std::size_t rank_;
  std::size_t size_;
};

}  // namespace muster::bench::testing
