#include "collectives-bench/nccl/nccl_backend.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <utility>

#include "collectives-bench/agreement.h"
#include "collectives-bench/nccl/device_choice.h"
#include "collectives-bench/sizes.h"

namespace muster::bench::nccl {

namespace {

constexpr std::size_t kStagingElements = 4u << 20;  // 16 MiB a piece when results come back
static_assert(kStagingElements >= kPatternPeriod);
// An event takes a microsecond or two on the GPU. Below this time of an operation it is kept out of
// the time of all, and timing single iterations apart costs little.
constexpr std::chrono::milliseconds kShortOperation(4);

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
  const TimePoint began = Clock::now();
  const Status loaded = load();
  facts_.context_seconds = std::chrono::duration<double>(Clock::now() - began).count();
  MUSTER_RETURN_IF_ERROR(agree(exchange, host, loaded, deadline));
  // Rank 0's id, or its error, reaches all; the others add nothing.
  MUSTER_TRY(ids, gather_or_fail(exchange, host, make_id(), deadline));
  MUSTER_RETURN_IF_ERROR(agree(exchange, host, connect(ids.front(), deadline), deadline));
  return facts();
}

Status NcclBackend::load() {
  const Environment environment = Environment::from_block(environ);
  MUSTER_TRY(fault, parse_fault(environment.get_or("MUSTER_BENCH_FAULT", "")));
  fault_ = fault;
  // For tests: every rank looks like a host of its own, so that several may share one GPU.
  if (environment.has("MUSTER_BENCH_SHARE_GPU")) {
    ::setenv("NCCL_HOSTID", fmt::format("muster-{}", options_.seat.rank).c_str(), 0);
  }
  // NCCL reads it when it is opened first; the user's own setting wins.
  if (!options_.interface.empty()) {
    ::setenv("NCCL_SOCKET_IFNAME", ("=" + options_.interface).c_str(), 0);
  }
  lines_.capture(environment, options_.tells_algorithm);
  MUSTER_TRY(driver, CudaDriver::open());
  cuda_ = std::make_unique<CudaDriver>(std::move(driver));
  MUSTER_TRY(library, NcclLibrary::open(options_.nccl_library, environment));
  nccl_ = std::make_unique<NcclLibrary>(std::move(library));
  facts_.library = fmt::format("NCCL {}", nccl_->version());
  facts_.path = nccl_->path();
  MUSTER_RETURN_IF_ERROR(open_device());
  return allocate();
}

Status NcclBackend::open_device() {
  MUSTER_TRY(ordinal, choose_device(options_.seat, cuda_->device_count(),
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
  MUSTER_RETURN_IF_ERROR(allocate_on_device());
  const std::size_t words = options_.max_bytes / kElementBytes;
  const std::size_t staged = std::min(kStagingElements, words);
  void* pinned = nullptr;
  MUSTER_RETURN_IF_ERROR(cuda_->check(cuda_->host_allocate(&pinned, staged * kElementBytes),
                                      "allocate pinned memory"));
  staging_ = {static_cast<float*>(pinned), staged};
  expected_.resize(staged);
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->set_words(input_, 0, words, stream_), "clear GPU memory"));
  return cuda_->check(cuda_->set_words(output_, 0, words, stream_), "clear GPU memory");
}

Status NcclBackend::allocate_on_device() {
  std::size_t free_bytes = 0;
  std::size_t all_bytes = 0;
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->memory_facts(&free_bytes, &all_bytes), "read the GPU's free memory"));
  const std::string size = bytes_text(options_.max_bytes);
  for (CUdeviceptr* buffer : {&input_, &output_}) {
    const CUresult code = cuda_->memory_allocate(buffer, options_.max_bytes);
    if (code == CUDA_ERROR_OUT_OF_MEMORY) {
      *buffer = 0;
      return failure(
          ErrorCode::kSystem,
          fmt::format("two buffers of {} do not fit on the GPU, which had {} of {} free; "
                      "write a smaller -e",
                      size, bytes_text(free_bytes), bytes_text(all_bytes)));
    }
    MUSTER_RETURN_IF_ERROR(cuda_->check(code, fmt::format("allocate {} on the GPU", size).c_str()));
  }
  return {};
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
NcclBackend::Operands NcclBackend::operands(const Collective& collective, Placement placement,
                                            std::uint32_t iteration) const {
  const std::uint64_t bytes =
      shape_of(collective, options_.seat.size).larger() * std::uint64_t{kElementBytes};
  const std::uint64_t places = std::max<std::uint64_t>(options_.max_bytes / bytes, 1);
  const std::uint64_t offset = iteration % places * bytes;
  if (placement == Placement::kOutOfPlace) {
    return {input_ + offset, output_ + offset, output_ + offset};
  }
  // As NCCL defines in place: the rank's part of the whole is what it sends, or what it gets.
  const std::uint64_t part = options_.seat.rank * collective.count * std::uint64_t{kElementBytes};
  Operands operands{input_ + offset, input_ + offset, input_ + offset};
  if (collective.operation == Operation::kAllGather) operands.input += part;
  if (collective.operation == Operation::kReduceScatter) operands.output += part;
  return operands;
}

ncclResult_t NcclBackend::call(const Collective& collective, const Operands& operands) const {
  const auto* from = reinterpret_cast<const void*>(operands.input);
  auto* to = reinterpret_cast<void*>(operands.output);
  const std::size_t count = collective.count;
  const int root = static_cast<int>(collective.root);
  switch (collective.operation) {
    case Operation::kAllReduce:
      return nccl_->all_reduce(from, to, count, ncclFloat, ncclSum, communicator_, stream_);
    case Operation::kAllGather:
      return nccl_->all_gather(from, to, count, ncclFloat, communicator_, stream_);
    case Operation::kReduceScatter:
      return nccl_->reduce_scatter(from, to, count, ncclFloat, ncclSum, communicator_, stream_);
    case Operation::kBroadcast:
      return nccl_->broadcast(from, to, count, ncclFloat, root, communicator_, stream_);
    case Operation::kReduce:
      return nccl_->reduce(from, to, count, ncclFloat, ncclSum, root, communicator_, stream_);
    case Operation::kAllToAll:
    case Operation::kSendRecv:
      return call_pairs(collective, operands);
    case Operation::kPingPong:  // the command line refuses it
      break;
  }
  return ncclInvalidArgument;
}

ncclResult_t NcclBackend::call_pairs(const Collective& collective, const Operands& operands) const {
  const std::uint32_t size = options_.seat.size;
  const bool all = collective.operation == Operation::kAllToAll;
  const std::uint64_t part = all ? collective.count * std::uint64_t{kElementBytes} : 0;
  ncclResult_t worst = nccl_->group_start();
  for (std::uint32_t step = 0; step < (all ? size : 1); ++step) {
    const std::uint32_t to = (options_.seat.rank + (all ? step : 1)) % size;
    const std::uint32_t from = (options_.seat.rank + size - (all ? step : 1) % size) % size;
    const ncclResult_t sent =
        nccl_->send(reinterpret_cast<const void*>(operands.input + to * part), collective.count,
                    ncclFloat, static_cast<int>(to), communicator_, stream_);
    const ncclResult_t received =
        nccl_->receive(reinterpret_cast<void*>(operands.output + from * part), collective.count,
                       ncclFloat, static_cast<int>(from), communicator_, stream_);
    for (const ncclResult_t code : {sent, received}) {
      if (code != ncclSuccess && code != ncclInProgress) worst = code;
    }
  }
  const ncclResult_t ended = nccl_->group_end();
  return worst == ncclSuccess || worst == ncclInProgress ? ended : worst;
}

Status NcclBackend::enqueue(const Collective& collective, const Operands& operands,
                            TimePoint deadline) {
  const std::string name(to_string(collective.operation));
  const ncclResult_t code = call(collective, operands);
  MUSTER_RETURN_IF_ERROR(nccl_->check(code, name.c_str()));
  if (code == ncclInProgress) MUSTER_RETURN_IF_ERROR(settle(name.c_str(), deadline));
  ++operations_;
  strike_if_armed();
  return {};
}

void NcclBackend::strike_if_armed() {
  if (operations_ != 2) return;
  if (fault_.strikes(FaultKind::kStop, options_.seat.rank)) std::raise(SIGSTOP);
  if (fault_.strikes(FaultKind::kCrash, options_.seat.rank)) std::raise(SIGKILL);
}

Status NcclBackend::make_events(std::size_t count) {
  while (events_.size() < count) {
    CUevent event = nullptr;
    MUSTER_RETURN_IF_ERROR(
        cuda_->check(cuda_->event_create(&event, CU_EVENT_DEFAULT), "make an event"));
    events_.push_back(event);
  }
  return {};
}

Status NcclBackend::mark(std::size_t event) {
  if (event >= events_.size()) return {};
  return cuda_->check(cuda_->event_record(events_[event], stream_), "record an event");
}

Result<std::vector<double>> NcclBackend::time_between(std::size_t intervals) const {
  std::vector<double> each_us;
  for (std::size_t i = 0; i < intervals; ++i) {
    float milliseconds = 0;
    MUSTER_RETURN_IF_ERROR(cuda_->check(
        cuda_->event_elapsed_ms(&milliseconds, events_[i], events_[i + 1]), "time between events"));
    each_us.push_back(std::max(static_cast<double>(milliseconds), 0.0) * 1e3);
  }
  return each_us;
}

Result<bool> NcclBackend::times_apart(TimePoint deadline) {
  const bool is_short = single_took_ && *single_took_ < kShortOperation;
  MUSTER_TRY(all, exchange_->all_gather(is_short ? "short" : "long", time_left(deadline)));
  return std::all_of(all.begin(), all.end(), [](const std::string& one) { return one == "short"; });
}

Result<std::chrono::nanoseconds> NcclBackend::run(const Collective& collective, Placement placement,
                                                  std::uint32_t iterations, std::uint32_t samples,
                                                  TimePoint deadline) {
  const TimePoint began = Clock::now();
  for (std::uint32_t iteration = 0; iteration < iterations; ++iteration) {
    if (iteration <= samples && samples != 0) MUSTER_RETURN_IF_ERROR(mark(iteration));
    MUSTER_RETURN_IF_ERROR(
        enqueue(collective, operands(collective, placement, iteration), deadline));
  }
  if (samples == iterations) MUSTER_RETURN_IF_ERROR(mark(samples));
  MUSTER_RETURN_IF_ERROR(drain(std::string(to_string(collective.operation)).c_str(), deadline));
  return Clock::now() - began;
}

Result<Timing> NcclBackend::measure(const Collective& collective, Placement placement,
                                    std::uint32_t iterations, TimePoint deadline) {
  const std::uint32_t samples =
      options_.times_each && iterations > 1 ? std::min(iterations, kMaxSamples) : 0;
  bool apart = false;
  MUSTER_RETURN_IF_ERROR(drain("earlier work on the GPU", deadline));
  if (samples != 0) {
    MUSTER_RETURN_IF_ERROR(make_events(samples + std::size_t{1}));
    MUSTER_TRY(agreed, times_apart(deadline));
    apart = agreed;
  }
  MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
  MUSTER_TRY(total, run(collective, placement, iterations, apart ? 0 : samples, deadline));
  if (apart) {
    MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
    MUSTER_RETURN_IF_ERROR(run(collective, placement, samples, samples, deadline));
  }
  single_took_.reset();
  if (iterations == 1) single_took_ = total;
  MUSTER_TRY(each_us, time_between(samples));
  return Timing{total, std::move(each_us)};
}

// The data repeat: one period goes to the GPU, which copies it on.
Status NcclBackend::fill(const Pattern& pattern, CUdeviceptr target, std::size_t count,
                         TimePoint deadline) {
  const std::size_t first = std::min(count, kPatternPeriod);
  pattern.write_input(options_.seat.rank, 0, staging_.first(first));
  MUSTER_RETURN_IF_ERROR(
      cuda_->check(cuda_->copy_to_device(target, staging_.data(), first * kElementBytes, stream_),
                   "copy data to the GPU"));
  for (std::size_t done = first; done < count;) {
    const std::size_t part = std::min(done, count - done);
    MUSTER_RETURN_IF_ERROR(cuda_->check(
        cuda_->copy_within(target + done * kElementBytes, target, part * kElementBytes, stream_),
        "copy data on the GPU"));
    done += part;
  }
  return drain("copy data to the GPU", deadline);
}

Result<std::uint64_t> NcclBackend::compare(const Pattern& pattern, const Collective& collective,
                                           CUdeviceptr result, TimePoint deadline) {
  std::uint64_t wrong = 0;
  const std::size_t count = result_count(collective, options_.seat.rank, options_.seat.size);
  for (std::size_t done = 0; done < count;) {
    const std::size_t part = std::min(staging_.size(), count - done);
    MUSTER_RETURN_IF_ERROR(
        cuda_->check(cuda_->copy_to_host(staging_.data(), result + done * kElementBytes,
                                         part * kElementBytes, stream_),
                     "copy the result from the GPU"));
    pattern.write_result(collective, options_.seat.rank, done, std::span(expected_).first(part));
    MUSTER_RETURN_IF_ERROR(drain("copy the result from the GPU", deadline));
    wrong += count_differences(staging_.first(part), std::span(expected_).first(part));
    done += part;
  }
  return wrong;
}

Result<std::uint64_t> NcclBackend::verify(const Collective& collective, Placement placement,
                                          std::uint32_t round, TimePoint deadline) {
  const Shape shape = shape_of(collective, options_.seat.size);
  const Pattern pattern(options_.seat.size, shape.larger(), round);
  const Operands work = operands(collective, placement, 0);
  MUSTER_RETURN_IF_ERROR(cuda_->check(cuda_->set_words(work.region, ~0u, shape.larger(), stream_),
                                      "clear GPU memory"));
  MUSTER_RETURN_IF_ERROR(fill(pattern, work.input, shape.input, deadline));
  MUSTER_RETURN_IF_ERROR(enqueue(collective, work, deadline));
  MUSTER_RETURN_IF_ERROR(drain(std::string(to_string(collective.operation)).c_str(), deadline));
  if (fault_.strikes(FaultKind::kCorrupt, options_.seat.rank)) {
    MUSTER_RETURN_IF_ERROR(
        cuda_->check(cuda_->set_words(work.output, ~0u, 1, stream_), "corrupt a result"));
  }
  return compare(pattern, collective, work.output, deadline);
}

BackendFacts NcclBackend::facts() const {
  BackendFacts facts = facts_;
  NcclFacts told = read_nccl_lines(lines_.read());
  if (nccl_) told.version = nccl_->version();  // NCCL's line has it on rank 0 only
  facts.network = describe_network(told);
  if (facts.network.empty()) facts.network = net_plugin_in(read_own_maps());
  facts.algorithm = told.algorithm;
  facts.nccl = std::move(told);
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
  for (const CUevent event : std::exchange(events_, {})) cuda_->event_destroy(event);
  if (input_ != 0) cuda_->memory_free(std::exchange(input_, 0));
  if (output_ != 0) cuda_->memory_free(std::exchange(output_, 0));
  if (!staging_.empty()) cuda_->host_free(std::exchange(staging_, {}).data());
  if (stream_ != nullptr) cuda_->stream_destroy(std::exchange(stream_, nullptr));
  if (context_ != nullptr) {
    cuda_->context_release(device_);
    context_ = nullptr;
  }
}

}  // namespace muster::bench::nccl
