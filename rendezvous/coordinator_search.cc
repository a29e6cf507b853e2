#include "rendezvous/coordinator_search.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "rendezvous/random.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(10);
constexpr Duration kPauseAtFirst = std::chrono::milliseconds(250);  // in the first seconds
constexpr Duration kPauseLater = std::chrono::seconds(1);
constexpr Duration kFirstSeconds = std::chrono::seconds(5);
constexpr int kFullWalkEvery = 4;
constexpr Duration kRest = std::chrono::milliseconds(50);  // longer by as much each time
constexpr Duration kLongestRest = std::chrono::seconds(10);

Duration doubled(Duration start, int times, Duration most) {
  return std::min(start * (1 << std::min(times, 16)), most);
}

// A connect to a free local port may meet its own other end (a TCP simultaneous open).
bool is_connected_to_itself(int socket) {
  const auto local = local_address(socket);
  const auto peer = peer_address(socket);
  return local && peer && to_string(*local) == to_string(*peer);
}

}  // namespace

struct CoordinatorSearch::Probe {
  Probe(asio::io_context& loop, Fd fd, std::function<void()> on_late)
      : stream(loop, fd.release()), limit(loop, std::move(on_late)) {}

  asio::posix::stream_descriptor stream;
  LoopTimer limit;
  bool done = false;

  // This loop may be the slow one: an answer that waits to be read counts.
  bool is_answered() {
    pollfd socket{stream.native_handle(), POLLOUT, 0};
    return ::poll(&socket, 1, 0) > 0;
  }

  // Asio keeps the probe until its handler ran; nothing of the search may happen meanwhile.
  void abandon() {
    done = true;
    limit.cancel();
    boost::system::error_code ignored;
    stream.close(ignored);
  }
};

CoordinatorSearch::CoordinatorSearch(asio::io_context& loop, std::vector<std::uint16_t> ports,
                                     OnConnected on_connected, OnWalked on_walked)
    : loop_(loop),
      ports_(std::move(ports)),
      on_connected_(std::move(on_connected)),
      on_walked_(std::move(on_walked)),
      next_(loop, [this] { launch_next(); }),
      random_(static_cast<std::minstd_rand::result_type>(random_u64())) {}

CoordinatorSearch::~CoordinatorSearch() {
  stop();
}

void CoordinatorSearch::add_addresses(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    if (std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end()) continue;
    if (!numeric_address(address, 0)) continue;
    addresses_.push_back(address);
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      Place place;
      place.where = *numeric_address(address, ports_[i]);
      place.port_number = i;
      places_.push_back(std::move(place));
      probes_.emplace_back();
    }
  }
  walks_ = 0;
  if (running_ && walk_.empty()) next_.arm_after(Duration::zero());
}

void CoordinatorSearch::start() {
  running_ = true;
  walks_ = 0;
  started_ = Clock::now();
  patience_ = 0;
  for (Place& place : places_) place.releases = place.silences = 0;
  next_.arm_after(Duration::zero());
}

void CoordinatorSearch::stop() {
  running_ = false;
  next_.cancel();
  walk_.clear();
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (!probes_[i]) continue;
    probes_[i]->abandon();
    probes_[i].reset();
    places_[i].use = Use::kIdle;
  }
}

void CoordinatorSearch::release(std::size_t place) {
  Place& released = places_[place];
  released.use = Use::kIdle;
  ++released.releases;
  released.rests_until = Clock::now() + std::min(kRest * released.releases, kLongestRest);
  --answered_;
  if (running_ && !walk_.empty()) next_.arm_after(Duration::zero());
}

bool CoordinatorSearch::is_closed(const std::vector<std::string>& addresses) const {
  bool has_refused = false;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    if (std::find(addresses.begin(), addresses.end(), addresses_[i]) == addresses.end()) continue;
    for (std::size_t port = 0; port < ports_.size(); ++port) {
      const Place& place = places_[i * ports_.size() + port];
      const bool is_in_use = place.use == Use::kTaken;
      if (is_in_use || !place.outcome || *place.outcome == 0 || *place.outcome == ETIMEDOUT)
        return false;
      has_refused = has_refused || *place.outcome == ECONNREFUSED;
    }
  }
  return has_refused;
}

std::vector<SocketAddress> CoordinatorSearch::shut() const {
  std::vector<SocketAddress> found;
  for (const Place& place : places_)
    if (place.has_answered && place.outcome == ECONNREFUSED) found.push_back(place.where);
  return found;
}

std::string CoordinatorSearch::summary() const {
  std::string text;
  for (const Place& place : places_) {
    // One line: the first port of each address tells enough.
    if (place.port_number != 0 || place.last_error.empty()) continue;
    text += (text.empty() ? "" : ", ") + to_string(place.where) + ": " + place.last_error;
  }
  return text;
}

// Port by port, all addresses of each: the first port is where the coordinator nearly always is.
void CoordinatorSearch::start_walk() {
  const bool full = walks_++ % kFullWalkEvery == 0;
  const TimePoint now = Clock::now();
  for (std::size_t port = 0; port < (full ? ports_.size() : 1); ++port) {
    for (std::size_t i = port; i < places_.size(); i += ports_.size()) {
      if (places_[i].use == Use::kIdle && places_[i].rests_until <= now) walk_.push_back(i);
    }
  }
}

void CoordinatorSearch::launch_next() {
  if (!running_) return;
  if (has_unread_answer()) return arm_next();
  is_first_ = walk_.empty();
  if (is_first_) {
    if (walks_ > 0) on_walked_();
    start_walk();
  }
  // While someone has answered, one place at a time, also of those that refuse at once.
  bool is_enough = false;
  while (!is_enough && !walk_.empty()) {
    const std::size_t place = walk_.front();
    walk_.pop_front();
    is_enough = launch(place) || answered_ > 0;
  }
  arm_next();
}

void CoordinatorSearch::arm_next() {
  const Duration stagger = is_first_ ? kHeadStart : kStagger;
  const Duration wish = walk_.empty() ? pause_after_walk() : stagger;
  if (answered_ == 0) return next_.arm_after(wish);
  next_.arm_after(
      std::max(wish, jittered(doubled(kStaggerWhileAnswered, patience_++, kLongestStagger))));
}

Duration CoordinatorSearch::jittered(Duration duration) {
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  return Duration(
      static_cast<Duration::rep>(static_cast<double>(duration.count()) * jitter(random_)));
}

Duration CoordinatorSearch::pause_after_walk() {
  const bool early = Clock::now() - started_ < kFirstSeconds;
  return jittered(
      doubled(kFirstPause, std::max(walks_ - 1, 0), early ? kPauseAtFirst : kPauseLater));
}

bool CoordinatorSearch::launch(std::size_t place) {
  Result<Fd> socket = start_connecting(places_[place].where);
  if (!socket) {
    places_[place].last_error = socket.error().message();
    places_[place].outcome = ENETUNREACH;
    return false;
  }
  places_[place].use = Use::kConnecting;
  places_[place].outcome.reset();
  const auto probe =
      std::make_shared<Probe>(loop_, std::move(*socket), [this, place] { on_probe_late(place); });
  probes_[place] = probe;
  probe->limit.arm_after(doubled(kConnectLimit, places_[place].silences, kLongestConnectLimit));
  probe->stream.async_wait(asio::posix::stream_descriptor::wait_write,
                           [this, place, probe](const boost::system::error_code& error) {
                             if (error || probe->done) return;
                             on_probe_done(place, take_error(probe->stream.native_handle()));
                           });
  return true;
}

void CoordinatorSearch::on_probe_late(std::size_t place) {
  const bool answered = probes_[place]->is_answered();
  on_probe_done(place, answered ? take_error(probes_[place]->stream.native_handle()) : ETIMEDOUT);
}

bool CoordinatorSearch::has_unread_answer() const {
  return std::any_of(probes_.begin(), probes_.end(),
                     [](const auto& probe) { return probe && probe->is_answered(); });
}

void CoordinatorSearch::on_probe_done(std::size_t place, int error) {
  const std::shared_ptr<Probe> probe = std::move(probes_[place]);
  probes_[place].reset();
  if (error == 0 && is_connected_to_itself(probe->stream.native_handle())) error = ECONNREFUSED;
  places_[place].outcome = error;
  if (error == 0) {
    places_[place].use = Use::kTaken;
    places_[place].has_answered = true;
    places_[place].last_error.clear();
    places_[place].silences = 0;
    ++answered_;
    arm_next();
    Fd socket(probe->stream.release());
    probe->abandon();
    return on_connected_(std::move(socket), place, places_[place].where);
  }
  probe->abandon();
  places_[place].use = Use::kIdle;
  places_[place].last_error = std::strerror(error);
  if (error == ETIMEDOUT) ++places_[place].silences;
  if (error != ETIMEDOUT && answered_ == 0 && !walk_.empty()) launch_next();
}

}  // namespace muster::rendezvous
