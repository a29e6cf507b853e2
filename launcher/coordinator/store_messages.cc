#include "launcher/coordinator/store_messages.h"

#include <string_view>

namespace muster::launcher {

namespace {

constexpr std::size_t kMaxAddress = 64;
constexpr std::size_t kMaxText = 4096;

void write_endpoint(ByteWriter& writer, const Endpoint& endpoint) {
  writer.string(std::string_view(endpoint.address).substr(0, kMaxAddress)).u16(endpoint.port);
}

Endpoint read_endpoint(ByteReader& reader) {
  Endpoint endpoint;
  endpoint.address = reader.string(kMaxAddress);
  endpoint.port = reader.u16();
  return endpoint;
}

void write_connections(ByteWriter& writer, const std::vector<StoreConnection>& connections) {
  writer.u32(static_cast<std::uint32_t>(connections.size()));
  for (const StoreConnection& connection : connections) {
    writer.u64(connection.id);
    write_endpoint(writer, connection.client);
    write_endpoint(writer, connection.server);
  }
}

std::vector<StoreConnection> read_connections(ByteReader& reader) {
  std::vector<StoreConnection> connections;
  const std::uint32_t count = reader.count(kMaxStoreConnections);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    StoreConnection connection;
    connection.id = reader.u64();
    connection.client = read_endpoint(reader);
    connection.server = read_endpoint(reader);
    connections.push_back(std::move(connection));
  }
  return connections;
}

void write_owners(ByteWriter& writer, const std::vector<Ownership>& owners) {
  writer.u32(static_cast<std::uint32_t>(owners.size()));
  for (const Ownership& owner : owners) {
    writer.u64(owner.id).u8(static_cast<std::uint8_t>(owner.finding)).u32(owner.uid);
  }
}

Result<std::vector<Ownership>> read_owners(ByteReader& reader) {
  std::vector<Ownership> owners;
  const std::uint32_t count = reader.count(kMaxStoreConnections);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    Ownership owner;
    owner.id = reader.u64();
    const std::uint8_t finding = reader.u8();
    owner.uid = reader.u32();
    if (finding < static_cast<std::uint8_t>(Finding::kOwner) ||
        finding > static_cast<std::uint8_t>(Finding::kNotTold)) {
      return failure(ErrorCode::kProtocol, "unknown finding " + std::to_string(finding));
    }
    owner.finding = static_cast<Finding>(finding);
    owners.push_back(owner);
  }
  return owners;
}

}  // namespace

void write(ByteWriter& writer, const OpenStore& message) {
  writer.u32(value_of(message.attempt)).u16(message.port);
  writer.u8(static_cast<std::uint8_t>(message.admission));
}

void write(ByteWriter& writer, const CloseStore& message) {
  writer.u32(value_of(message.attempt));
}

void write(ByteWriter& writer, const FindOwners& message) {
  writer.u32(value_of(message.attempt));
  write_connections(writer, message.connections);
}

void write(ByteWriter& writer, const OwnersTold& message) {
  writer.u32(value_of(message.attempt));
  write_owners(writer, message.owners);
}

void write(ByteWriter& writer, const StoreOpened& message) {
  writer.u32(value_of(message.attempt)).u16(message.port);
}

void write(ByteWriter& writer, const StoreFailed& message) {
  writer.u32(value_of(message.attempt));
  writer.string(std::string_view(message.text).substr(0, kMaxText));
}

void write(ByteWriter& writer, const AskOwners& message) {
  writer.u32(value_of(message.attempt));
  write_connections(writer, message.connections);
}

void write(ByteWriter& writer, const OwnersFound& message) {
  writer.u32(value_of(message.attempt));
  write_owners(writer, message.owners);
}

Result<OpenStore> read_open_store(ByteReader& reader) {
  OpenStore message;
  message.attempt = Attempt{reader.u32()};
  message.port = reader.u16();
  const std::uint8_t admission = reader.u8();
  if (admission > static_cast<std::uint8_t>(AdmissionMode::kOpen)) {
    return failure(ErrorCode::kProtocol, "unknown admission " + std::to_string(admission));
  }
  message.admission = static_cast<AdmissionMode>(admission);
  return message;
}

CloseStore read_close_store(ByteReader& reader) {
  return {Attempt{reader.u32()}};
}

FindOwners read_find_owners(ByteReader& reader) {
  const Attempt attempt{reader.u32()};
  return {attempt, read_connections(reader)};
}

Result<OwnersTold> read_owners_told(ByteReader& reader) {
  const Attempt attempt{reader.u32()};
  MUSTER_TRY(owners, read_owners(reader));
  return OwnersTold{attempt, std::move(owners)};
}

StoreOpened read_store_opened(ByteReader& reader) {
  const Attempt attempt{reader.u32()};
  return {attempt, reader.u16()};
}

StoreFailed read_store_failed(ByteReader& reader) {
  const Attempt attempt{reader.u32()};
  return {attempt, std::string(reader.string(kMaxText))};
}

AskOwners read_ask_owners(ByteReader& reader) {
  const Attempt attempt{reader.u32()};
  return {attempt, read_connections(reader)};
}

Result<OwnersFound> read_owners_found(ByteReader& reader) {
  const Attempt attempt{reader.u32()};
  MUSTER_TRY(owners, read_owners(reader));
  return OwnersFound{attempt, std::move(owners)};
}

}  // namespace muster::launcher
