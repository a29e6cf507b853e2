// Endpoint: one reliable-datagram endpoint of libfabric with tagged messages, and its completions.
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

struct Finished {
  InFlight* operation = nullptr;
  std::optional<std::string> error;  // the provider's text when it failed
};

struct EndpointOptions {
  std::string source_address;  // numeric; for providers over IP
  std::uint32_t local_rank = 0;
  std::uint32_t local_size = 1;
};

class Endpoint {
 public:
  // The EFA provider where it offers a device, else tcp;ofi_rxm bound to the source address.
  static Result<std::unique_ptr<Endpoint>> open(const Libfabric& library,
                                                const EndpointOptions& options);

  std::string provider() const;  // "tcp;ofi_rxm"
  std::string domain() const;    // "eth0", "rdmap79s0-rdm"
  bool is_over_ip() const;
  bool waits_blocking() const { return blocking_; }

  Result<std::string> name() const;  // opaque bytes for insert() on a peer
  Result<fi_addr_t> insert(const std::string& peer_name);
  Result<Registration> register_memory(std::span<std::byte> memory);

  // False: the provider cannot take it now; wait() and try again.
  Result<bool> send(InFlight& operation, std::span<const std::byte> bytes, void* descriptor,
                    fi_addr_t to, std::uint64_t tag);
  Result<bool> receive(InFlight& operation, std::span<std::byte> bytes, void* descriptor,
                       fi_addr_t from, std::uint64_t tag);

  // Moves the provider on. Gives at least one finished operation, or none when `until` has passed.
  Result<std::vector<Finished>> wait(TimePoint until);

 private:
  struct FreeInfo {
    decltype(&::fi_freeinfo) free = nullptr;
    void operator()(fi_info* info) const { free(info); }
  };
  using InfoOwner = std::unique_ptr<fi_info, FreeInfo>;

  Endpoint(const Libfabric& library, InfoOwner info) : library_(library), info_(std::move(info)) {}
  static Result<InfoOwner> find(const Libfabric& library, const EndpointOptions& options);
  static Result<InfoOwner> query(const Libfabric& library, const char* provider,
                                 const std::string& source_address);
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
  bool blocking_ = true;
  std::uint64_t next_key_ = 1;
};

}  // namespace muster::bench::fabric
