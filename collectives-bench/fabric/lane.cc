#include "collectives-bench/fabric/lane.h"

namespace muster::bench::fabric {

namespace {

constexpr std::size_t kMaxName = 256;

}  // namespace

void print_lane_contact(ByteWriter& writer, const LaneContact& contact) {
  writer.string(contact.name).u64(contact.output.address).u64(contact.output.key);
}

LaneContact read_lane_contact(ByteReader& reader) {
  LaneContact contact;
  contact.name = reader.string(kMaxName);
  contact.output.address = reader.u64();
  contact.output.key = reader.u64();
  return contact;
}

Result<std::unique_ptr<Lane>> Lane::open(const Libfabric& library, const EndpointOptions& options,
                                         const std::array<std::span<std::byte>, kRegions>& memory) {
  MUSTER_TRY(endpoint, Endpoint::open(library, options));
  const auto output = memory[static_cast<std::size_t>(Region::kOutput)];
  std::unique_ptr<Lane> lane(new Lane(std::move(endpoint), output, options.rma));
  for (std::size_t region = 0; region < kRegions; ++region) {
    MUSTER_TRY(registration, lane->endpoint_->register_memory(memory[region]));
    lane->registrations_[region] = std::move(registration);
  }
  return lane;
}

void* Lane::descriptor(Region region) const {
  return descriptor_of(registrations_[static_cast<std::size_t>(region)]);
}

Result<LaneContact> Lane::contact() const {
  MUSTER_TRY(name, endpoint_->name());
  LaneContact contact{std::move(name), {}};
  if (rma_) {
    const auto output = static_cast<std::size_t>(Region::kOutput);
    contact.output = endpoint_->exposed(registrations_[output], output_);
  }
  return contact;
}

Status Lane::insert_peer(const LaneContact& contact) {
  outputs_.push_back(contact.output);
  addresses_.push_back(FI_ADDR_UNSPEC);
  if (contact.name.empty()) return {};
  MUSTER_TRY(address, endpoint_->insert(contact.name));
  addresses_.back() = address;
  return {};
}

}  // namespace muster::bench::fabric
