#include "collectives-bench/fabric/endpoint.h"

#include <fmt/format.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace muster::bench::fabric {

namespace {

// 1.9 is what tcp;ofi_rxm and efa of all libraries in the field agree on.
constexpr std::uint32_t kApiVersion = FI_VERSION(1, 9);
constexpr std::size_t kQueueSize = 1024;
constexpr std::size_t kNumberBytes = 4;  // of remote completion data: what efa carries
// A provider may need a look now and then even though its wait object stays silent (ofi_rxm while
// it connects), so one sleep in it is short.
constexpr int kSleepMs = 10;

// Copies a string the way libfabric frees it.
char* duplicate(const std::string& text) {
  return ::strdup(text.c_str());
}

std::string text_or(const char* text, const char* otherwise) {
  return text == nullptr ? otherwise : text;
}

}  // namespace

void* descriptor_of(const Registration& registration) {
  return registration ? ::fi_mr_desc(registration.get()) : nullptr;
}

Result<Endpoint::InfoOwner> Endpoint::query(const Libfabric& library, const char* provider,
                                            const std::string& source_address, bool rma) {
  const FreeInfo free{library.freeinfo};
  const InfoOwner hints(library.dupinfo(nullptr), free);
  if (!hints) return failure(ErrorCode::kSystem, "libfabric: out of memory");
  hints->fabric_attr->prov_name = duplicate(provider);
  hints->ep_attr->type = FI_EP_RDM;
  hints->caps = FI_MSG | FI_TAGGED;
  if (rma) {
    hints->caps |= FI_RMA | FI_WRITE | FI_REMOTE_WRITE;
    hints->domain_attr->cq_data_size = kNumberBytes;
  }
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  fi_info* found = nullptr;
  const char* node = source_address.empty() ? nullptr : source_address.c_str();
  const int code = library.getinfo(kApiVersion, node, nullptr, node == nullptr ? 0 : FI_SOURCE,
                                   hints.get(), &found);
  if (code != 0) {
    return failure(
        ErrorCode::kUnsupported,
        fmt::format("libfabric {}: provider {}{}{}: {}", library.version(), provider,
                    node == nullptr ? "" : " from ", source_address, library.error_text(code)));
  }
  return InfoOwner(found, free);
}

// One device appears once a fabric.
std::vector<const fi_info*> Endpoint::devices_of(const fi_info* list) {
  std::vector<const fi_info*> devices;
  for (const fi_info* info = list; info != nullptr; info = info->next) {
    const bool seen = std::any_of(devices.begin(), devices.end(), [info](const fi_info* other) {
      return std::strcmp(other->domain_attr->name, info->domain_attr->name) == 0;
    });
    if (!seen) devices.push_back(info);
  }
  return devices;
}

std::vector<std::string> Endpoint::devices(const Libfabric& library, bool rma) {
  std::vector<std::string> names;
  const auto efa = query(library, "efa", "", rma);
  if (!efa) return names;
  for (const fi_info* info : devices_of(efa->get())) {
    names.emplace_back(info->domain_attr->name);
  }
  return names;
}

Result<Endpoint::InfoOwner> Endpoint::find(const Libfabric& library,
                                           const EndpointOptions& options) {
  auto efa = query(library, "efa", "", options.rma);
  if (!efa) {
    // A node with EFA is not measured by TCP because its provider cannot write.
    if (options.rma && query(library, "efa", "", false)) return failure(efa.error());
    return query(library, "tcp;ofi_rxm", options.source_address, options.rma);
  }
  const std::vector<const fi_info*> devices = devices_of(efa->get());
  // Without a name, the ranks of a node spread over the devices.
  std::size_t place = std::min(static_cast<std::size_t>(options.local_rank) * devices.size() /
                                   std::max<std::uint32_t>(options.local_size, 1),
                               devices.size() - 1);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (options.domain == devices[i]->domain_attr->name) place = i;
  }
  InfoOwner chosen(library.dupinfo(devices[place]), FreeInfo{library.freeinfo});
  if (!chosen) return failure(ErrorCode::kSystem, "libfabric: out of memory");
  return chosen;
}

Result<std::unique_ptr<Endpoint>> Endpoint::open(const Libfabric& library,
                                                 const EndpointOptions& options) {
  MUSTER_TRY(info, find(library, options));
  std::unique_ptr<Endpoint> endpoint(new Endpoint(library, std::move(info), options.rma));
  MUSTER_RETURN_IF_ERROR(endpoint->create());
  return endpoint;
}

Status Endpoint::create() {
  fid_fabric* fabric = nullptr;
  if (int code = library_.fabric(info_->fabric_attr, &fabric, nullptr); code != 0) {
    return failure(provider_error("fi_fabric", code));
  }
  fabric_.reset(fabric);
  fid_domain* domain = nullptr;
  if (int code = ::fi_domain(fabric, info_.get(), &domain, nullptr); code != 0) {
    return failure(provider_error("fi_domain", code));
  }
  domain_.reset(domain);
  MUSTER_RETURN_IF_ERROR(open_completion_queue());
  fi_av_attr table{};
  table.type = FI_AV_TABLE;
  fid_av* addresses = nullptr;
  if (int code = ::fi_av_open(domain, &table, &addresses, nullptr); code != 0) {
    return failure(provider_error("fi_av_open", code));
  }
  addresses_.reset(addresses);
  fid_ep* endpoint = nullptr;
  if (int code = ::fi_endpoint(domain, info_.get(), &endpoint, nullptr); code != 0) {
    return failure(provider_error("fi_endpoint", code));
  }
  endpoint_.reset(endpoint);
  if (int code = ::fi_ep_bind(endpoint, &addresses->fid, 0); code != 0) {
    return failure(provider_error("fi_ep_bind", code));
  }
  if (int code = ::fi_ep_bind(endpoint, &queue_->fid, FI_TRANSMIT | FI_RECV); code != 0) {
    return failure(provider_error("fi_ep_bind", code));
  }
  if (int code = ::fi_enable(endpoint); code != 0) {
    return failure(provider_error("fi_enable", code));
  }
  return {};
}

Status Endpoint::open_completion_queue() {
  fi_cq_attr attributes{};
  attributes.size = kQueueSize;
  attributes.format = FI_CQ_FORMAT_DATA;
  attributes.wait_obj = FI_WAIT_UNSPEC;
  fid_cq* queue = nullptr;
  int code = ::fi_cq_open(domain_.get(), &attributes, &queue, nullptr);
  if (code != 0) {  // efa before libfabric 2 has no wait object
    blocking_ = false;
    attributes.wait_obj = FI_WAIT_NONE;
    code = ::fi_cq_open(domain_.get(), &attributes, &queue, nullptr);
  }
  if (code != 0) return failure(provider_error("fi_cq_open", code));
  queue_.reset(queue);
  return {};
}

Error Endpoint::provider_error(const char* call, std::int64_t code) const {
  return Error(ErrorCode::kSystem, fmt::format("{} ({}): {}", call, provider(),
                                               library_.error_text(static_cast<int>(code))));
}

std::string Endpoint::provider() const {
  return text_or(info_->fabric_attr->prov_name, "?");
}
std::string Endpoint::domain() const {
  return text_or(info_->domain_attr->name, "?");
}

bool Endpoint::is_over_ip() const {
  return info_->addr_format == FI_SOCKADDR_IN || info_->addr_format == FI_SOCKADDR_IN6;
}

Result<std::string> Endpoint::name() const {
  std::array<char, 256> bytes{};
  std::size_t size = bytes.size();
  if (int code = ::fi_getname(&endpoint_->fid, bytes.data(), &size); code != 0) {
    return failure(provider_error("fi_getname", code));
  }
  return std::string(bytes.data(), size);
}

Result<fi_addr_t> Endpoint::insert(const std::string& peer_name) {
  fi_addr_t address = FI_ADDR_UNSPEC;
  const int code = ::fi_av_insert(addresses_.get(), peer_name.data(), 1, &address, 0, nullptr);
  if (code == 1) return address;
  return failure(provider_error("fi_av_insert", code == 0 ? -FI_EINVAL : code));
}

Result<Registration> Endpoint::register_memory(std::span<std::byte> memory) {
  if ((info_->domain_attr->mr_mode & FI_MR_LOCAL) == 0 && !rma_) return Registration();
  std::uint64_t access = FI_SEND | FI_RECV;
  if (rma_) access |= FI_WRITE | FI_REMOTE_WRITE;
  fid_mr* region = nullptr;
  const int code = ::fi_mr_reg(domain_.get(), memory.data(), memory.size(), access, 0, next_key_++,
                               0, &region, nullptr);
  if (code != 0) return failure(provider_error("fi_mr_reg", code));
  return Registration(region);
}

RemoteMemory Endpoint::exposed(const Registration& registration,
                               std::span<std::byte> memory) const {
  const bool by_address = (info_->domain_attr->mr_mode & FI_MR_VIRT_ADDR) != 0;
  return {by_address ? reinterpret_cast<std::uint64_t>(memory.data()) : 0,
          ::fi_mr_key(registration.get())};
}

Result<bool> Endpoint::send(InFlight& operation, std::span<const std::byte> bytes, void* descriptor,
                            fi_addr_t to, std::uint64_t tag) {
  const auto code = ::fi_tsend(endpoint_.get(), bytes.data(), bytes.size(), descriptor, to, tag,
                               &operation.context);
  if (code == 0) return true;
  if (code == -FI_EAGAIN) return false;
  return failure(provider_error("fi_tsend", code));
}

Result<bool> Endpoint::receive(InFlight& operation, std::span<std::byte> bytes, void* descriptor,
                               fi_addr_t from, std::uint64_t tag) {
  const auto code = ::fi_trecv(endpoint_.get(), bytes.data(), bytes.size(), descriptor, from, tag,
                               0, &operation.context);
  if (code == 0) return true;
  if (code == -FI_EAGAIN) return false;
  return failure(provider_error("fi_trecv", code));
}

Result<bool> Endpoint::write(InFlight& operation, std::span<const std::byte> bytes,
                             void* descriptor, fi_addr_t to, const RemoteMemory& target,
                             std::uint64_t offset, std::uint64_t number) {
  const auto code = ::fi_writedata(endpoint_.get(), bytes.data(), bytes.size(), descriptor, number,
                                   to, target.address + offset, target.key, &operation.context);
  if (code == 0) return true;
  if (code == -FI_EAGAIN) return false;
  return failure(provider_error("fi_writedata", code));
}

Finished Endpoint::read_error() {
  fi_cq_err_entry entry{};
  const auto code = ::fi_cq_readerr(queue_.get(), &entry, 0);
  if (code < 0) return {nullptr, std::nullopt, library_.error_text(static_cast<int>(code))};
  std::string text = library_.error_text(entry.err);
  const char* detail = ::fi_cq_strerror(queue_.get(), entry.prov_errno, entry.err_data, nullptr, 0);
  if (detail != nullptr && text != detail) text += fmt::format(" ({})", detail);
  return {reinterpret_cast<InFlight*>(entry.op_context), std::nullopt, std::move(text)};
}

Result<std::vector<Finished>> Endpoint::wait(TimePoint until) {
  std::array<fi_cq_data_entry, 16> entries{};
  while (true) {
    auto count = ::fi_cq_read(queue_.get(), entries.data(), entries.size());
    if (count == -FI_EAGAIN && blocking_) {
      const auto left = std::chrono::ceil<Duration>(until - Clock::now()).count();
      const int sleep_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, kSleepMs));
      count = ::fi_cq_sread(queue_.get(), entries.data(), entries.size(), nullptr, sleep_ms);
      if (count == -FI_ENOSYS || count == -FI_EOPNOTSUPP) blocking_ = false;
    }
    if (count > 0) {
      std::vector<Finished> finished;
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        const fi_cq_data_entry& entry = entries[i];
        if ((entry.flags & FI_REMOTE_CQ_DATA) != 0) {
          finished.push_back({nullptr, entry.data, std::nullopt});
        } else {
          finished.push_back(
              {reinterpret_cast<InFlight*>(entry.op_context), std::nullopt, std::nullopt});
        }
      }
      return finished;
    }
    if (count == -FI_EAVAIL) return std::vector<Finished>{read_error()};
    const bool nothing_yet = count == -FI_EAGAIN || count == -FI_EINTR || count == -FI_ETIMEDOUT ||
                             count == -FI_ECANCELED || !blocking_;
    if (count != 0 && !nothing_yet) return failure(provider_error("fi_cq_sread", count));
    if (Clock::now() >= until) return std::vector<Finished>();
    if (!blocking_) ::sched_yield();
  }
}

}  // namespace muster::bench::fabric
