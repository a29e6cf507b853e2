// Lane: one device's way to all peers: an endpoint, what it may read and write, and who is where.
//
// A rank has one lane, or one for each NIC that is measured. The same place in the lists of all
// ranks is one lane: what is sent on it is received on it.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/fabric/endpoint.h"
#include "rendezvous/base/bytes.h"
#include "rendezvous/base/result.h"

namespace muster::bench::fabric {

// The memory of a rank, as far as it travels.
enum class Region : std::uint8_t { kInput, kOutput, kScratch };
inline constexpr std::size_t kRegions = 3;

// What a rank tells the others of one of its lanes.
struct LaneContact {
  std::string name;     // the endpoint's
  RemoteMemory output;  // where it may be written to; zeros without rma

  bool operator==(const LaneContact&) const = default;
};

void print_lane_contact(ByteWriter& writer, const LaneContact& contact);
LaneContact read_lane_contact(ByteReader& reader);  // the reader remembers what was wrong

class Lane {
 public:
  // `memory` by Region; it outlives the lane.
  static Result<std::unique_ptr<Lane>> open(
      const Libfabric& library, const EndpointOptions& options,
      const std::array<std::span<std::byte>, kRegions>& memory);

  Endpoint& endpoint() { return *endpoint_; }
  void* descriptor(Region region) const;
  Result<LaneContact> contact() const;

  // In rank order; an empty name for the own place.
  Status insert_peer(const LaneContact& contact);
  fi_addr_t address(std::size_t rank) const { return addresses_[rank]; }
  const RemoteMemory& output_of(std::size_t rank) const { return outputs_[rank]; }

 private:
  Lane(std::unique_ptr<Endpoint> endpoint, std::span<std::byte> output, bool rma)
      : endpoint_(std::move(endpoint)), output_(output), rma_(rma) {}

  // Closed in reverse order: the registrations before the endpoint.
  std::unique_ptr<Endpoint> endpoint_;
  std::array<Registration, kRegions> registrations_;
  std::span<std::byte> output_;
  bool rma_;
  std::vector<fi_addr_t> addresses_;
  std::vector<RemoteMemory> outputs_;
};

}  // namespace muster::bench::fabric
