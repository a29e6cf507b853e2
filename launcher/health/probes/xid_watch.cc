#include "launcher/health/probes/xid_watch.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <optional>
#include <utility>

#include "launcher/health/child_question.h"
#include "launcher/health/gpu_report.h"
#include "launcher/health/nvml_library.h"
#include "rendezvous/base/asio.h"
#include "rendezvous/base/bytes.h"

namespace muster::health {

namespace {

constexpr unsigned long long kXidEvent = 0x8;  // nvmlEventTypeXidCriticalError
constexpr unsigned int kWaitMs = 200;
constexpr Duration kAnswerTime{5'000};  // for a driver that is slow to start or to let go
constexpr Duration kStopTime{2'000};    // after stop(): ten times what the driver takes
constexpr std::size_t kMaxText = 1024;

// One flag in memory that parent and child share: the child has none of our descriptors.
class SharedFlag {
 public:
  SharedFlag() {
    void* const page = ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) flag_ = new (page) std::atomic<bool>(false);
  }
  ~SharedFlag() {
    if (flag_ != nullptr) ::munmap(flag_, sizeof(std::atomic<bool>));
  }
  SharedFlag(const SharedFlag&) = delete;
  SharedFlag& operator=(const SharedFlag&) = delete;

  void raise() {
    if (flag_ != nullptr) flag_->store(true);
  }
  bool is_raised() const { return flag_ != nullptr && flag_->load(); }

 private:
  std::atomic<bool>* flag_ = nullptr;
};

std::string bus_id_of(const NvmlLibrary& nvml, NvmlDevice* device) {
  NvmlPciPlace place{};
  if (nvml.read_place(device, &place) != kNvmlSuccess) return "";
  return fmt::format("{:04x}:{:02x}:{:02x}", place.domain, place.bus, place.device);
}

// An error in words; "" when at least one GPU is watched.
std::string watch_all_gpus(const NvmlLibrary& nvml, NvmlEventSet* events) {
  unsigned int count = 0;
  NvmlReturn last = nvml.count_devices(&count);
  bool is_any = false;
  for (unsigned int index = 0; index < std::min(count, kMaxGpus); ++index) {
    NvmlDevice* device = nullptr;
    last = nvml.open_device(index, &device);
    if (last == kNvmlSuccess) last = nvml.register_events(device, kXidEvent, events);
    is_any = is_any || last == kNvmlSuccess;
  }
  if (is_any) return "";
  return count == 0 ? "there is no GPU" : "the driver tells of no XID: " + nvml.explain(last);
}

std::string encode_answer(const std::string& problem, const std::vector<XidEvent>& events) {
  ByteWriter writer;
  writer.string(problem.substr(0, kMaxText));
  writer.u32(static_cast<std::uint32_t>(events.size()));
  for (const XidEvent& event : events) {
    writer.string(event.bus_id.substr(0, kMaxText));
    writer.u64(event.code);
  }
  return writer.take();
}

Fact<std::vector<XidEvent>> parse_answer(const std::string& bytes) {
  using Events = Fact<std::vector<XidEvent>>;
  ByteReader reader(bytes);
  const std::string problem(reader.string(kMaxText));
  std::vector<XidEvent> events(reader.count(kMaxFactItems));
  for (XidEvent& event : events) {
    event.bus_id = reader.string(kMaxText);
    event.code = reader.u64();
  }
  if (const Status end = reader.finish("answer of the XID watch"); !end) {
    return Events::none(end.error().message());
  }
  return problem.empty() ? Events(std::move(events)) : Events::none(problem);
}

// In the child.
std::string watch(const std::string& library, const SharedFlag& is_over, TimePoint end) {
  const Result<NvmlLibrary> nvml = open_nvml(library);
  if (!nvml) return encode_answer(nvml.error().message(), {});
  if (nvml->create_events == nullptr || nvml->register_events == nullptr ||
      nvml->wait_event == nullptr) {
    return encode_answer("this driver has no nvmlEventSetWait_v2", {});
  }
  NvmlEventSet* events = nullptr;
  NvmlReturn code = nvml->init();
  if (code == kNvmlSuccess) code = nvml->create_events(&events);
  if (code != kNvmlSuccess) return encode_answer("the driver: " + nvml->explain(code), {});
  if (std::string problem = watch_all_gpus(*nvml, events); !problem.empty()) {
    return encode_answer(problem, {});
  }
  std::vector<XidEvent> seen;
  while (true) {
    const bool is_last = is_over.is_raised() || Clock::now() >= end;
    NvmlEvent event{};
    code = nvml->wait_event(events, &event, is_last ? 0 : kWaitMs);
    if (code == kNvmlSuccess) {
      if (seen.size() < kMaxFactItems) {
        seen.push_back({bus_id_of(*nvml, event.device), event.data, 0});
      }
    } else if (code != kNvmlTimeout) {
      return encode_answer("the driver: " + nvml->explain(code), {});
    }
    if (is_last && (code == kNvmlTimeout || seen.size() >= kMaxFactItems)) {
      return encode_answer("", seen);
    }
  }
}

}  // namespace

class XidWatch::Body : public std::enable_shared_from_this<XidWatch::Body> {
 public:
  Body(asio::io_context& loop, Done done) : loop_(loop), timer_(loop), done_(std::move(done)) {}

  void start(const std::string& library, Duration limit) {
    question_.emplace(
        loop_, "muster-xids",
        [this, &library, end = Clock::now() + limit]() { return watch(library, flag_, end); },
        limit + kAnswerTime,
        [this](const Result<std::string>& answer) {
          finish(answer ? parse_answer(*answer) : no_events(answer.error()));
        });
  }

  void stop() {
    flag_.raise();
    timer_.expires_after(kStopTime);
    timer_.async_wait([self = shared_from_this()](auto error) { self->on_stop_late(error); });
  }

  void drop() {
    done_ = nullptr;
    question_.reset();
    timer_.cancel();
  }

 private:
  using Events = Fact<std::vector<XidEvent>>;

  static Events no_events(const Error& error) {
    return Events::none("the XID watch " + error.message());
  }

  void on_stop_late(const boost::system::error_code& error) {
    if (error || !done_) return;
    question_.reset();
    finish(no_events(Error(ErrorCode::kTimeout, "did not end when the check did")));
  }

  void finish(Events events) {
    timer_.cancel();
    if (const Done done = std::exchange(done_, nullptr)) done(std::move(events));
  }

  asio::io_context& loop_;
  asio::steady_timer timer_;
  SharedFlag flag_;
  Done done_;
  std::optional<ChildQuestion> question_;
};

XidWatch::XidWatch(asio::io_context& loop, const std::string& library, Duration limit, Done done)
    : body_(std::make_shared<Body>(loop, std::move(done))) {
  body_->start(library, limit);
}

XidWatch::~XidWatch() {
  body_->drop();
}

void XidWatch::stop() {
  body_->stop();
}

}  // namespace muster::health
