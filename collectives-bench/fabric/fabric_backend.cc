#include "collectives-bench/fabric/fabric_backend.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <csignal>

#include "collectives-bench/agreement.h"
#include "collectives-bench/fabric/addresses.h"
#include "collectives-bench/pattern.h"
#include "collectives-bench/sizes.h"
#include "rendezvous/base/bytes.h"

namespace muster::bench::fabric {

namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::size_t kCompareElements = 1u << 20;

// What a rank tells the others of its endpoint.
struct Contact {
  std::string provider;
  std::string host;
  std::string name;
};

std::string print_contact(const Contact& contact) {
  ByteWriter writer;
  writer.string(contact.provider).string(contact.host.substr(0, kMaxName)).string(contact.name);
  return writer.take();
}

Result<Contact> parse_contact(std::string_view payload) {
  ByteReader reader(payload);
  Contact contact;
  contact.provider = reader.string(kMaxName);
  contact.host = reader.string(kMaxName);
  contact.name = reader.string(kMaxName);
  MUSTER_RETURN_IF_ERROR(reader.finish("endpoint of a rank"));
  return contact;
}

std::string label_of(std::size_t rank, const Contact& contact) {
  return fmt::format("rank {} ({})", rank, contact.host);
}

Environment own_environment() {
  return Environment::from_block(environ);
}

}  // namespace

struct FabricBackend::Pages {
  explicit Pages(std::span<float> all) : memory(all) {}
  ~Pages() {
    registration.reset();
    ::munmap(memory.data(), memory.size_bytes());
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  static Result<std::unique_ptr<Pages>> create(Endpoint& endpoint, std::size_t count) {
    const std::size_t bytes = std::max<std::size_t>(count, 1) * sizeof(float);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
      return failure(system_error(fmt::format("buffer of {}", bytes_text(bytes)), errno));
    }
    auto pages = std::make_unique<Pages>(
        std::span<float>(static_cast<float*>(memory), bytes / sizeof(float)));
    MUSTER_TRY(region, endpoint.register_memory(std::as_writable_bytes(pages->memory)));
    pages->registration = std::move(region);
    return pages;
  }

  std::span<float> memory;
  Registration registration;
};

FabricBackend::FabricBackend() = default;
FabricBackend::~FabricBackend() = default;

// libfabric 1.17: ofi_rxm crashes in fi_close while operations are in flight. What the process
// holds is left to its end, which follows at once.
void FabricBackend::abort() {
  (void)transfers_.release();
  (void)input_.release();
  (void)output_.release();
  (void)scratch_.release();
  (void)endpoint_.release();
  (void)library_.release();
}

Status FabricBackend::probe(const BackendOptions&) {
  const auto library = Libfabric::open(own_environment());
  if (!library) return failure(library.error());
  return {};
}

Result<BackendFacts> FabricBackend::open(const BackendOptions& options, Exchange& exchange,
                                         TimePoint deadline) {
  options_ = options;
  exchange_ = &exchange;
  const std::string& host = options_.seat.host;
  const Result<std::string> identity = load_library();
  MUSTER_TRY(identities, gather_or_fail(exchange, host, identity, deadline));
  const bool one_node = std::all_of(identities.begin(), identities.end(),
                                    [&identity](const auto& other) { return other == *identity; });
  MUSTER_TRY(contacts, gather_or_fail(exchange, host, open_endpoint(one_node), deadline));
  MUSTER_RETURN_IF_ERROR(agree(exchange, host, connect(contacts), deadline));
  return facts_;
}

// Gives the identity of this rank's network.
Result<std::string> FabricBackend::load_library() {
  const Environment environment = own_environment();
  MUSTER_TRY(fault, parse_fault(environment.get_or("MUSTER_BENCH_FAULT", "")));
  fault_ = fault;
  MUSTER_TRY(library, Libfabric::open(environment));
  library_ = std::make_unique<Libfabric>(std::move(library));
  return network_identity();
}

// Gives this rank's contact.
Result<std::string> FabricBackend::open_endpoint(bool one_node) {
  MUSTER_TRY(addresses, list_addresses());
  const AddressWish wish{
      .interface = options_.interface, .preferred = options_.seat.address, .one_node = one_node};
  MUSTER_TRY(address, choose_address(addresses, wish));
  const EndpointOptions endpoint_options{.source_address = address.address,
                                         .local_rank = options_.seat.local_rank,
                                         .local_size = options_.seat.local_size};
  MUSTER_TRY(endpoint, Endpoint::open(*library_, endpoint_options));
  endpoint_ = std::move(endpoint);
  facts_.library = fmt::format("libfabric {} {}", library_->version(), endpoint_->provider());
  facts_.path = library_->path();
  facts_.network = endpoint_->is_over_ip()
                       ? fmt::format("{} {}", address.interface, address.address)
                       : endpoint_->domain();
  facts_.device = "host memory";
  MUSTER_RETURN_IF_ERROR(allocate());
  MUSTER_TRY(name, endpoint_->name());
  return print_contact({endpoint_->provider(), options_.seat.host, name});
}

Status FabricBackend::allocate() {
  const std::size_t count = options_.max_bytes / kElementBytes;
  MUSTER_TRY(input, Pages::create(*endpoint_, count));
  input_ = std::move(input);
  MUSTER_TRY(output, Pages::create(*endpoint_, count));
  output_ = std::move(output);
  MUSTER_TRY(scratch, Pages::create(*endpoint_, kWindow * kSliceElements));
  scratch_ = std::move(scratch);
  return {};
}

Status FabricBackend::connect(const std::vector<std::string>& payloads) {
  std::vector<Peer> peers(payloads.size());
  for (std::size_t number = 0; number < payloads.size(); ++number) {
    if (number == options_.seat.rank) continue;
    MUSTER_TRY(contact, parse_contact(payloads[number]));
    if (contact.provider != endpoint_->provider()) {
      return failure(
          ErrorCode::kUnsupported,
          fmt::format("{} has provider {}, this one {}: set FI_PROVIDER to one that "
                      "all nodes have",
                      label_of(number, contact), contact.provider, endpoint_->provider()));
    }
    MUSTER_TRY(address, endpoint_->insert(contact.name));
    peers[number] = Peer{label_of(number, contact), address};
  }
  transfers_ = std::make_unique<Transfers>(*endpoint_, std::move(peers), scratch_->memory,
                                           descriptor_of(scratch_->registration));
  arm_fault();
  return {};
}

void FabricBackend::arm_fault() {
  const bool stops = fault_.strikes(FaultKind::kStop, options_.seat.rank);
  if (!stops && !fault_.strikes(FaultKind::kCrash, options_.seat.rank)) return;
  transfers_->on_slice = [this, stops](std::size_t done, std::size_t all) {
    if (epoch_ == 2 && done == (all + 1) / 2) std::raise(stops ? SIGSTOP : SIGKILL);
  };
}

TransferPlan FabricBackend::plan(const Collective& collective) const {
  return plan_transfers(collective, options_.seat.rank, options_.seat.size, kSliceElements);
}

// Walks through the whole buffer, so that small sizes do not stay in the caches.
FabricBackend::Work FabricBackend::work(const Collective& collective, Placement placement,
                                        std::uint32_t iteration) const {
  const Shape shape = shape_of(collective, options_.seat.size);
  const std::size_t size = shape.larger();
  const std::size_t places = std::max<std::size_t>(options_.max_bytes / kElementBytes / size, 1);
  const std::size_t offset = iteration % places * size;
  const bool in_place = placement == Placement::kInPlace;
  const bool own_part = in_place && collective.operation == Operation::kAllGather;
  const Pages& output = in_place ? *input_ : *output_;
  const std::size_t input_offset = offset + (own_part ? options_.seat.rank * shape.input : 0);
  return {.input = input_->memory.subspan(input_offset, shape.input),
          .output = output.memory.subspan(offset, size),
          .output_descriptor = descriptor_of(output.registration)};
}

Status FabricBackend::run_once(const TransferPlan& plan, const Work& work, TimePoint deadline) {
  return transfers_->run(plan,
                         {.input = work.input,
                          .output = work.output,
                          .input_descriptor = descriptor_of(input_->registration),
                          .output_descriptor = work.output_descriptor},
                         ++epoch_, deadline);
}

Result<Timing> FabricBackend::measure(const Collective& collective, Placement placement,
                                      std::uint32_t iterations, TimePoint deadline) {
  const TransferPlan steps = plan(collective);
  Timing timing;
  timing.each_us.reserve(std::min(iterations, kMaxSamples));
  MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
  const TimePoint began = Clock::now();
  TimePoint last = began;
  for (std::uint32_t iteration = 0; iteration < iterations; ++iteration) {
    MUSTER_RETURN_IF_ERROR(run_once(steps, work(collective, placement, iteration), deadline));
    const TimePoint now = Clock::now();
    if (iteration < kMaxSamples) {
      timing.each_us.push_back(std::chrono::duration<double, std::micro>(now - last).count());
    }
    last = now;
  }
  timing.total = last - began;
  return timing;
}

Result<std::uint64_t> FabricBackend::verify(const Collective& collective, Placement placement,
                                            std::uint32_t round, TimePoint deadline) {
  const std::size_t rank = options_.seat.rank;
  const Work buffers = work(collective, placement, 0);
  const Pattern pattern(options_.seat.size, buffers.output.size(), round);
  std::fill(buffers.output.begin(), buffers.output.end(), -1.0f);
  pattern.write_input(rank, 0, buffers.input);
  MUSTER_RETURN_IF_ERROR(run_once(plan(collective), buffers, deadline));
  const bool own_part = collective.operation == Operation::kReduceScatter;
  const std::span<float> result = buffers.output.subspan(
      own_part ? rank * collective.count : 0, result_count(collective, rank, options_.seat.size));
  if (fault_.strikes(FaultKind::kCorrupt, options_.seat.rank) && !result.empty()) {
    float& victim = result[result.size() / 2];
    victim = std::bit_cast<float>(std::bit_cast<std::uint32_t>(victim) ^ 1u);
  }
  std::uint64_t wrong = 0;
  std::vector<float> expected(std::min(result.size(), kCompareElements));
  for (std::size_t done = 0; done < result.size(); done += expected.size()) {
    const std::size_t part = std::min(expected.size(), result.size() - done);
    const std::span<float> piece = std::span(expected).first(part);
    pattern.write_result(collective, rank, done, piece);
    wrong += count_differences(result.subspan(done, part), piece);
  }
  return wrong;
}

Status FabricBackend::close(TimePoint deadline) {
  MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
  transfers_.reset();
  scratch_.reset();
  output_.reset();
  input_.reset();
  endpoint_.reset();
  return {};
}

}  // namespace muster::bench::fabric
