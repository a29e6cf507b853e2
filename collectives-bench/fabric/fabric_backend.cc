#include "collectives-bench/fabric/fabric_backend.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
constexpr std::size_t kLeastShare = 4096;  // bytes; less is not worth a second NIC

// What a rank tells the others of its lanes.
struct Contact {
  std::string provider;
  std::string host;
  std::vector<LaneContact> lanes;
};

std::string print_contact(const Contact& contact) {
  ByteWriter writer;
  writer.string(contact.provider).string(contact.host.substr(0, kMaxName));
  writer.u32(static_cast<std::uint32_t>(contact.lanes.size()));
  for (const LaneContact& lane : contact.lanes) print_lane_contact(writer, lane);
  return writer.take();
}

Result<Contact> parse_contact(std::string_view payload) {
  ByteReader reader(payload);
  Contact contact;
  contact.provider = reader.string(kMaxName);
  contact.host = reader.string(kMaxName);
  const std::size_t lanes = std::min<std::size_t>(reader.u32(), kMaxNics);
  for (std::size_t i = 0; i < lanes; ++i) contact.lanes.push_back(read_lane_contact(reader));
  MUSTER_RETURN_IF_ERROR(reader.finish("endpoints of a rank"));
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
  ~Pages() { ::munmap(memory.data(), memory.size_bytes()); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  static Result<std::unique_ptr<Pages>> create(std::size_t count) {
    const std::size_t bytes = std::max<std::size_t>(count, 1) * sizeof(float);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
      return failure(system_error(fmt::format("buffer of {}", bytes_text(bytes)), errno));
    }
    return std::make_unique<Pages>(
        std::span<float>(static_cast<float*>(memory), bytes / sizeof(float)));
  }

  std::span<float> memory;
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
  for (auto& lane : lanes_) (void)lane.release();
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
  MUSTER_TRY(contacts, gather_or_fail(exchange, host, open_lanes(one_node), deadline));
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
Result<std::string> FabricBackend::open_lanes(bool one_node) {
  MUSTER_TRY(devices, choose_devices(one_node));
  MUSTER_RETURN_IF_ERROR(allocate(devices.size()));
  const std::array<std::span<std::byte>, kRegions> memory = {
      std::as_writable_bytes(input_->memory), std::as_writable_bytes(output_->memory),
      std::as_writable_bytes(scratch_->memory)};
  Contact contact{"", options_.seat.host, {}};
  for (const EndpointOptions& device : devices) {
    MUSTER_TRY(lane, Lane::open(*library_, device, memory));
    MUSTER_TRY(own, lane->contact());
    contact.lanes.push_back(std::move(own));
    const bool over_ip = lane->endpoint().is_over_ip();
    facts_.network +=
        fmt::format("{}{}", lanes_.empty() ? "" : ", ",
                    over_ip ? fmt::format("{} {}", device.domain, device.source_address)
                            : lane->endpoint().domain());
    lanes_.push_back(std::move(lane));
  }
  contact.provider = lanes_.front()->endpoint().provider();
  facts_.library = fmt::format("libfabric {} {}", library_->version(), contact.provider);
  facts_.path = library_->path();
  facts_.device = "host memory";
  return print_contact(contact);
}

// One, or with --nic those that are measured; `domain` names the interface over IP.
Result<std::vector<EndpointOptions>> FabricBackend::choose_devices(bool one_node) {
  const std::string& wish = options_.nic;
  EndpointOptions common{.source_address = "",
                         .local_rank = options_.seat.local_rank,
                         .local_size = options_.seat.local_size,
                         .domain = "",
                         .rma = options_.transport == Transport::kRma};
  MUSTER_TRY(addresses, list_addresses());
  if (wish.empty()) {
    const AddressWish address_wish{
        .interface = options_.interface, .preferred = options_.seat.address, .one_node = one_node};
    MUSTER_TRY(address, choose_address(addresses, address_wish));
    common.source_address = address.address;
    common.domain = address.interface;
    return std::vector{common};
  }
  std::vector<std::string> names = Endpoint::devices(*library_, common.rma);
  const bool over_ip = names.empty();
  const auto interfaces = addresses_by_interface(addresses, one_node);
  if (over_ip) {
    for (const LocalAddress& address : interfaces) names.push_back(address.interface);
  }
  MUSTER_TRY(places, choose_nics(names, wish));
  std::vector<EndpointOptions> chosen(places.size(), common);
  std::vector<std::string> chosen_names;
  for (std::size_t i = 0; i < places.size(); ++i) {
    chosen[i].domain = names[places[i]];
    if (over_ip) chosen[i].source_address = interfaces[places[i]].address;
    chosen_names.push_back(names[places[i]]);
  }
  turns_ = nic_turns(chosen_names, wish);
  for (const NicTurn& turn : turns_) facts_.nics.push_back(turn.name);
  return chosen;
}

Status FabricBackend::allocate(std::size_t lanes) {
  const std::size_t count = options_.max_bytes / kElementBytes;
  MUSTER_TRY(input, Pages::create(count));
  input_ = std::move(input);
  MUSTER_TRY(output, Pages::create(count));
  output_ = std::move(output);
  MUSTER_TRY(scratch, Pages::create(lanes * kWindow * kSliceElements));
  scratch_ = std::move(scratch);
  return {};
}

Status FabricBackend::connect(const std::vector<std::string>& payloads) {
  const std::string provider = lanes_.front()->endpoint().provider();
  std::vector<std::string> labels(payloads.size());
  for (std::size_t number = 0; number < payloads.size(); ++number) {
    MUSTER_TRY(contact, parse_contact(payloads[number]));
    labels[number] = label_of(number, contact);
    if (contact.provider != provider) {
      return failure(ErrorCode::kUnsupported,
                     fmt::format("{} has provider {}, this one {}: set FI_PROVIDER to one that "
                                 "all nodes have",
                                 labels[number], contact.provider, provider));
    }
    if (contact.lanes.size() != lanes_.size()) {
      return failure(ErrorCode::kUnsupported,
                     fmt::format("{} has {} NICs, this one {}: name one that all have with --nic",
                                 labels[number], contact.lanes.size(), lanes_.size()));
    }
    for (std::size_t place = 0; place < lanes_.size(); ++place) {
      const bool own = number == options_.seat.rank;
      MUSTER_RETURN_IF_ERROR(
          lanes_[place]->insert_peer(own ? LaneContact{} : contact.lanes[place]));
    }
  }
  std::vector<Lane*> all;
  for (const auto& lane : lanes_) all.push_back(lane.get());
  transfers_ = std::make_unique<Transfers>(std::move(all), std::move(labels), scratch_->memory,
                                           options_.transport);
  arm_fault();
  return check_rma();
}

// What the number that arrives with a write has room for.
Status FabricBackend::check_rma() const {
  if (options_.transport != Transport::kRma) return {};
  const std::uint64_t slices = options_.max_bytes / (kSliceElements * kElementBytes) + 1;
  if (options_.seat.size <= kMaxRmaRanks && slices < kMaxRmaSlices) return {};
  return failure(
      ErrorCode::kLimit,
      fmt::format("--transport rma: {} ranks and {} are too much: at most {} ranks and {}",
                  options_.seat.size, bytes_text(options_.max_bytes), kMaxRmaRanks,
                  bytes_text(kMaxRmaSlices * kSliceElements * kElementBytes)));
}

void FabricBackend::use_nic(std::size_t place) {
  if (turns_.empty()) return;
  std::vector<Lane*> used;
  for (const std::size_t lane : turns_[place].places) used.push_back(lanes_[lane].get());
  transfers_->use_lanes(std::move(used));
}

void FabricBackend::arm_fault() {
  const bool stops = fault_.strikes(FaultKind::kStop, options_.seat.rank);
  if (!stops && !fault_.strikes(FaultKind::kCrash, options_.seat.rank)) return;
  transfers_->on_slice = [this, stops](std::size_t done, std::size_t all) {
    if (epoch_ == 2 && done == (all + 1) / 2) std::raise(stops ? SIGSTOP : SIGKILL);
  };
}

TransferPlan FabricBackend::plan(const Collective& collective) const {
  // Several lanes each get a share of what one slice would hold.
  const std::size_t share =
      std::max(collective.count / transfers_->lanes(), kLeastShare / kElementBytes);
  const std::size_t slice =
      transfers_->lanes() == 1 ? kSliceElements : std::min(kSliceElements, share);
  return plan_transfers(collective, options_.seat.rank, options_.seat.size, slice);
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
          .output_region = in_place ? Region::kInput : Region::kOutput,
          .output_offset = offset};
}

Status FabricBackend::run_once(const TransferPlan& plan, const Work& work, TimePoint deadline) {
  return transfers_->run(plan,
                         {.input = work.input,
                          .output = work.output,
                          .output_region = work.output_region,
                          .output_offset = work.output_offset},
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
  // Over rma a peer writes without being asked: not before this rank has filled what it writes to.
  if (options_.transport == Transport::kRma) {
    MUSTER_RETURN_IF_ERROR(exchange_->barrier(time_left(deadline)));
  }
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
  lanes_.clear();
  scratch_.reset();
  output_.reset();
  input_.reset();
  return {};
}

}  // namespace muster::bench::fabric
