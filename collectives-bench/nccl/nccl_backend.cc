#include "collectives-bench/nccl/nccl_backend.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "collectives-bench/agreement.h"
#include "collectives-bench/nccl/device_choice.h"
#include "collectives-bench/pattern.h"
#include "collectives-bench/sizes.h"

namespace muster::bench::nccl {

namespace {

constexpr std::size_t kStagingElements = 4u << 20;  // 16 MiB a piece when results come back

std::string read_own_maps() {
  std::ifstream file("/proc/self/maps");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Several ranks may share a GPU only where NCCL was told to take them for different hosts.
bool may_share_devices(const Environment& environment) {
  return environment.has("NCCL_HOSTID") || environment.has("NCCL_MULTI_RANK_GPU_ENABLE");
}

Error late(const char* what) {
  return Error(ErrorCode::kTimeout,
               fmt::format("{}: NCCL did not finish by the deadline; a peer is missing, stopped or "
                           "not reachable",
                           what));
}

}  // namespace

NcclBackend::~NcclBackend() {
  release();
}

Status NcclBackend::probe(const BackendOptions& options) {
  const auto driver = CudaDriver::open();
  if (!driver) return failure(driver.error());
  const auto library = NcclLibrary::open(options.nccl_library, Environment::from_block(environ));
  if (!library) return failure(library.error());
  return {};
}

Result<BackendFacts> NcclBackend::open(const BackendOptions& options, Exchange& exchange,
                                       TimePoint deadline) {
  options_ = options;
  exchange_ = &exchange;
  const std::string& host = options_.seat.host;
  MUSTER_RETURN_IF_ERROR(agree(exchange, host, load(), deadline));
  // Rank 0's id, or its error, reaches all; the others add nothing.
  MUSTER_TRY(ids, gather_or_fail(exchange, host, make_id(), deadline));
  MUSTER_RETURN_IF_ERROR(agree(exchange, host, connect(ids.front(), deadline), deadline));
  return facts();
}

Status NcclBackend::load() {
  // For tests: every rank looks like a host of its own, so that several may share one GPU.
  if (Environment::from_block(environ).has("MUSTER_BENCH_SHARE_GPU")) {
    ::setenv("NCCL_HOSTID", fmt::format("muster-{}", options_.seat.rank).c_str(), 0);
  }
  // NCCL reads it when it is opened first; the user's own setting wins.
  if (!options_.interface.empty()) {
    ::setenv("NCCL_SOCKET_IFNAME", ("=" + options_.interface).c_str(), 0);
  }
  MUSTER_TRY(driver, CudaDriver::open());
  cuda_ = std::make_unique<CudaDriver>(std::move(driver));
  MUSTER_TRY(library, NcclLibrary::open(options_.nccl_library, Environment::from_block(environ)));
  nccl_ = std::make_unique<NcclLibrary>(std::move(library));
  facts_.library = fmt::format("NCCL {}", nccl_->version());
  facts_.path = nccl_->path();
  MUSTER_RETURN_IF_ERROR(open_device());
  return allocate();
}

Status NcclBackend::open_device() {
  MUSTER_TRY(ordinal, choose_device(options_.seat.local_rank, options_.seat.local_size,
                                    cuda_->device_count(),
                                    may_share_devices(Environment::from_block(environ))));
  MUSTER_RETURN_IF_ERROR(cuda_->check(cuda_->device_get(&device_, ordinal), "find GPU"));
  std::array<char, 128> name{};
  std::array<char, 32> bus{};
  MUSTER_RETURN_IF_ERROR(cuda_->check(
      cuda_->device_name(name.data(), static_cast<int>(name.size()), device_), "GPU name"));
  MUSTER_RETURN_IF_ERROR(cuda_->check(
      cuda_->device_bus(bus.data(), static_cast<int>(bus.size()), device_), "GPU address"));
  facts_.device = fmt::format("GPU {} {} {}", ordinal, name.data(), bus.data());
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->context_retain(&context_, device_), "make a CUDA context"));
  MUSTER_RETURN_IF_ERROR(cuda_->check(cuda_->context_use(context_), "use the CUDA context"));
  return cuda_->check(cuda_->stream_create(&stream_, CU_STREAM_NON_BLOCKING), "make a stream");
}

Status NcclBackend::allocate() {
  const std::string what = fmt::format("allocate {} on the GPU", bytes_text(options_.max_bytes));
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->memory_allocate(&input_, options_.max_bytes), what.c_str()));
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->memory_allocate(&output_, options_.max_bytes), what.c_str()));
  staging_.resize(std::min<std::size_t>(kStagingElements, options_.max_bytes / kElementBytes));
  const std::size_t words = options_.max_bytes / kElementBytes;
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->set_words(input_, 0, words, stream_), "clear GPU memory"));
  return cuda_->check(cuda_->set_words(output_, 0, words, stream_), "clear GPU memory");
}

// Rank 0's process answers the connections of all others from here on.
Result<std::string> NcclBackend::make_id() {
  if (options_.seat.rank != 0) return std::string();
  ncclUniqueId id{};
  MUSTER_RETURN_IF_ERROR(nccl_->check(nccl_->unique_id(&id), "make NCCL's unique id"));
  return std::string(id.internal, sizeof id.internal);
}

Status NcclBackend::connect(const std::string& id, TimePoint deadline) {
  ncclUniqueId unique{};
  if (id.size() != sizeof unique.internal) {
    return failure(ErrorCode::kProtocol, fmt::format("NCCL's unique id has {} bytes", id.size()));
  }
  std::memcpy(unique.internal, id.data(), id.size());
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  const auto size = static_cast<int>(options_.seat.size);
  MUSTER_RETURN_IF_ERROR(nccl_->check(
      nccl_->init_rank(&communicator_, size, unique, static_cast<int>(options_.seat.rank), &config),
      "connect the communicator"));
  MUSTER_RETURN_IF_ERROR(settle("connect the communicator", deadline));
  int joined = 0;
  MUSTER_RETURN_IF_ERROR(nccl_->check(nccl_->count(communicator_, &joined), "count ranks"));
  if (joined == size) return {};
  return failure(ErrorCode::kProtocol,
                 fmt::format("NCCL joined {} ranks, expected {}", joined, size));
}

Status NcclBackend::settle(const char* what, TimePoint deadline) {
  while (true) {
    ncclResult_t state = ncclSuccess;
    MUSTER_RETURN_IF_ERROR(nccl_->check(nccl_->async_error(communicator_, &state), what));
    MUSTER_RETURN_IF_ERROR(nccl_->check(state, what));
    if (state != ncclInProgress) return {};
    if (Clock::now() >= deadline) return failure(late(what));
    ::sched_yield();
  }
}

Status NcclBackend::drain(const char* what, TimePoint deadline) {
  while (true) {
    const CUresult state = cuda_->stream_query(stream_);
    if (state == CUDA_SUCCESS) return {};
    if (state != CUDA_ERROR_NOT_READY) return cuda_->check(state, what);
    if (communicator_ != nullptr) {
      ncclResult_t communicator_state = ncclSuccess;
      MUSTER_RETURN_IF_ERROR(
          nccl_->check(nccl_->async_error(communicator_, &communicator_state), what));
      MUSTER_RETURN_IF_ERROR(nccl_->check(communicator_state, what));
    }
    if (Clock::now() >= deadline) return failure(late(what));
    ::sched_yield();
  }
}

// Walks through the whole buffer, so that small sizes do not stay in the caches.
NcclBackend::Operands NcclBackend::operands(std::size_t count, Placement placement,
                                            std::uint32_t iteration) const {
  const std::uint64_t bytes = count * kElementBytes;
  const std::uint64_t places = std::max<std::uint64_t>(options_.max_bytes / bytes, 1);
  const std::uint64_t offset = iteration % places * bytes;
  return {input_ + offset, (placement == Placement::kInPlace ? input_ : output_) + offset};
}

Status NcclBackend::enqueue(std::size_t count, const Operands& operands, TimePoint deadline) {
  const ncclResult_t code = nccl_->all_reduce(reinterpret_cast<const void*>(operands.input),
                                              reinterpret_cast<void*>(operands.output), count,
                                              ncclFloat, ncclSum, communicator_, stream_);
  MUSTER_RETURN_IF_ERROR(nccl_->check(code, "all_reduce"));
  if (code == ncclInProgress) return settle("all_reduce", deadline);
  return {};
}

Result<std::chrono::nanoseconds> NcclBackend::all_reduce(std::size_t count, Placement placement,
                                                         std::uint32_t iterations,
                                                         TimePoint deadline) {
  MUSTER_RETURN_IF_ERROR(drain("earlier work on the GPU", deadline));
  MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
  const TimePoint began = Clock::now();
  for (std::uint32_t iteration = 0; iteration < iterations; ++iteration) {
    MUSTER_RETURN_IF_ERROR(enqueue(count, operands(count, placement, iteration), deadline));
  }
  MUSTER_RETURN_IF_ERROR(drain("all_reduce", deadline));
  return Clock::now() - began;
}

Status NcclBackend::fill(CUdeviceptr target, std::size_t count, std::span<const float> period) {
  for (std::size_t done = 0; done < count;) {
    const std::size_t part = std::min(period.size(), count - done);
    MUSTER_RETURN_IF_ERROR(
        cuda_->check(cuda_->copy_to_device(target + done * kElementBytes, period.data(),
                                           part * kElementBytes, stream_),
                     "copy data to the GPU"));
    done += part;
  }
  return {};
}

Result<std::uint64_t> NcclBackend::compare(CUdeviceptr result, std::size_t count,
                                           std::span<const float> period, TimePoint deadline) {
  std::uint64_t wrong = 0;
  for (std::size_t done = 0; done < count;) {
    const std::size_t part = std::min(staging_.size(), count - done);
    MUSTER_RETURN_IF_ERROR(
        cuda_->check(cuda_->copy_to_host(staging_.data(), result + done * kElementBytes,
                                         part * kElementBytes, stream_),
                     "copy the result from the GPU"));
    MUSTER_RETURN_IF_ERROR(drain("copy the result from the GPU", deadline));
    wrong += count_differences(std::span(staging_).first(part), period, done);
    done += part;
  }
  return wrong;
}

Result<std::uint64_t> NcclBackend::verify(std::size_t count, Placement placement,
                                          std::uint32_t round, TimePoint deadline) {
  const Pattern pattern(options_.seat.rank, options_.seat.size, count, round);
  const Operands work = operands(count, placement, 0);
  if (placement == Placement::kOutOfPlace) {
    MUSTER_RETURN_IF_ERROR(
        cuda_->check(cuda_->set_words(work.output, ~0u, count, stream_), "clear GPU memory"));
  }
  MUSTER_RETURN_IF_ERROR(fill(work.input, count, pattern.input()));
  MUSTER_RETURN_IF_ERROR(enqueue(count, work, deadline));
  MUSTER_RETURN_IF_ERROR(drain("all_reduce", deadline));
  return compare(work.output, count, pattern.expected(), deadline);
}

BackendFacts NcclBackend::facts() const {
  BackendFacts facts = facts_;
  facts.network = net_plugin_in(read_own_maps());
  return facts;
}

void NcclBackend::abort() {
  if (communicator_ == nullptr) return;
  nccl_->abort(communicator_);
  communicator_ = nullptr;
}

Status NcclBackend::close(TimePoint deadline) {
  MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
  MUSTER_RETURN_IF_ERROR(nccl_->check(nccl_->finalize(communicator_), "finish the communicator"));
  MUSTER_RETURN_IF_ERROR(settle("finish the communicator", deadline));
  const Status destroyed = nccl_->check(nccl_->destroy(communicator_), "end the communicator");
  communicator_ = nullptr;
  release();
  return destroyed;
}

void NcclBackend::release() {
  abort();
  if (input_ != 0) cuda_->memory_free(std::exchange(input_, 0));
  if (output_ != 0) cuda_->memory_free(std::exchange(output_, 0));
  if (stream_ != nullptr) cuda_->stream_destroy(std::exchange(stream_, nullptr));
  if (context_ != nullptr) {
    cuda_->context_release(device_);
    context_ = nullptr;
  }
}

}  // namespace muster::bench::nccl
