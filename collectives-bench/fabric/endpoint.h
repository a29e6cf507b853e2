// Endpoint: one reliable-datagram endpoint of libfabric: tagged messages or writes into a peer's
// memory, and their completions.
//
// A write says that it arrived by an entry in the target's completion queue, which carries a number
// that the writer chose (FI_REMOTE_CQ_DATA). Every write has one, so no order between operations is
// needed, and none may be assumed: efa gives order after sends alone (fi_efa(7): send-after-send;
// its transport, SRD, is unordered) and none between writes (FI_ORDER_RMA_WAW, fi_endpoint(3), is
// not asked for). A flag written after the data could be seen before them. The writer's own
// completion says that its buffer is free, not that the target has seen the data:
// FI_DELIVERY_COMPLETE would, and is not needed, since nobody asks the writer. The target's entry
// marks that one write as complete (fi_cq(3), FI_REMOTE_WRITE and FI_REMOTE_CQ_DATA); without
// FI_RMA_EVENT, which efa lacks and which counters alone need, only the second flag is set. A
// provider that would take a posted receive for such an entry (mode FI_RX_CQ_DATA, fi_getinfo(3))
// is not taken.
//
// Owns everything from the fabric down to the endpoint. One thread. Waits block in the provider
// where it offers that (tcp;ofi_rxm does), and poll with a yield where it does not (efa).
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectives-bench/fabric/libfabric.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench::fabric {

struct CloseFid {
  template <class Object>
  void operator()(Object* object) const {
    ::fi_close(&object->fid);
  }
};
template <class Object>
using FidOwner = std::unique_ptr<Object, CloseFid>;

// Memory that the provider may read and write; empty where it needs no registration.
using Registration = FidOwner<fid_mr>;
void* descriptor_of(const Registration& registration);

// One send or receive in flight. The provider writes to `context`, which must come first.
struct InFlight {
  fi_context2 context{};
  std::size_t index = 0;
  bool is_send = false;
};

// Where a peer lets others write: what fi_writedata wants to know of it.
struct RemoteMemory {
  std::uint64_t address = 0;  // of its first byte, as the provider counts
  std::uint64_t key = 0;

  bool operator==(const RemoteMemory&) const = default;
};

struct Finished {
  InFlight* operation = nullptr;                        // none of a write that a peer did here
  std::optional<std::uint64_t> arrived = std::nullopt;  // the number that came with such a write
  std::optional<std::string> error;                     // the provider's text when it failed
};

struct EndpointOptions {
  std::string source_address;  // numeric; for providers over IP
  std::uint32_t local_rank = 0;
  std::uint32_t local_size = 1;
  std::string domain;  // the device to take; "" chooses by local rank
  bool rma = false;    // with writes, of which each carries 4 bytes of remote completion data
};

class Endpoint {
 public:
  // The EFA provider where it offers a device, else tcp;ofi_rxm bound to the source address.
  static Result<std::unique_ptr<Endpoint>> open(const Libfabric& library,
                                                const EndpointOptions& options);

  // Names of the EFA devices; empty where there are none, and devices are interfaces.
  static std::vector<std::string> devices(const Libfabric& library, bool rma);

  std::string provider() const;  // "tcp;ofi_rxm"
  std::string domain() const;    // "eth0", "rdmap79s0-rdm"
  bool is_over_ip() const;
  bool waits_blocking() const { return blocking_; }

  Result<std::string> name() const;  // opaque bytes for insert() on a peer
  Result<fi_addr_t> insert(const std::string& peer_name);
  Result<Registration> register_memory(std::span<std::byte> memory);
  // Of memory that was registered here, for peers. Only with EndpointOptions::rma.
  RemoteMemory exposed(const Registration& registration, std::span<std::byte> memory) const;

  // False: the provider cannot take it now; wait() and try again.
  Result<bool> send(InFlight& operation, std::span<const std::byte> bytes, void* descriptor,
                    fi_addr_t to, std::uint64_t tag);
  Result<bool> receive(InFlight& operation, std::span<std::byte> bytes, void* descriptor,
                       fi_addr_t from, std::uint64_t tag);

  // Writes to `offset` of a peer's memory; `number` arrives there with the data. At most 32 bits.
  Result<bool> write(InFlight& operation, std::span<const std::byte> bytes, void* descriptor,
                     fi_addr_t to, const RemoteMemory& target, std::uint64_t offset,
                     std::uint64_t number);

  // Moves the provider on. Gives at least one finished operation, or none when `until` has passed.
  Result<std::vector<Finished>> wait(TimePoint until);

 private:
  struct FreeInfo {
    decltype(&::fi_freeinfo) free = nullptr;
    void operator()(fi_info* info) const { free(info); }
  };
  using InfoOwner = std::unique_ptr<fi_info, FreeInfo>;

  Endpoint(const Libfabric& library, InfoOwner info, bool rma)
      : library_(library), info_(std::move(info)), rma_(rma) {}
  static Result<InfoOwner> find(const Libfabric& library, const EndpointOptions& options);
  static Result<InfoOwner> query(const Libfabric& library, const char* provider,
                                 const std::string& source_address, bool rma);
  static std::vector<const fi_info*> devices_of(const fi_info* list);
  Status create();
  Status open_completion_queue();
  Finished read_error();
  Error provider_error(const char* call, std::int64_t code) const;

  const Libfabric& library_;
  InfoOwner info_;
  // Closed in reverse order.
  FidOwner<fid_fabric> fabric_;
  FidOwner<fid_domain> domain_;
  FidOwner<fid_cq> queue_;
  FidOwner<fid_av> addresses_;
  FidOwner<fid_ep> endpoint_;
  bool rma_;
  bool blocking_ = true;
  std::uint64_t next_key_ = 1;
};

}  // namespace muster::bench::fabric
