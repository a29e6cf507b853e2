#include "rendezvous/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "rendezvous/connection_table.h"
#include "rendezvous/coordinator_search.h"
#include "rendezvous/engine_driver.h"
#include "rendezvous/host_addresses.h"
#include "rendezvous/member_engine.h"
#include "rendezvous/note_limiter.h"
#include "rendezvous/random.h"
#include "rendezvous/session_options.h"
#include "rendezvous/sidecar_pool.h"
#include "rendezvous/sockets.h"
#include "rendezvous/timer.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kFlushLimit = std::chrono::seconds(2);
constexpr Duration kLookUpAgain = std::chrono::seconds(2);
// On the coordinator's own host loopback nearly always leads to it before any name is needed.
constexpr Duration kLookUpAfterLoopback = std::chrono::milliseconds(30);

// Hands a value of the engine to the typed completion of the caller.
template <class T>
std::function<void(Result<OperationValue>)> typed(Completion<T> done) {
  return [done = std::move(done)](Result<OperationValue> result) {
    if constexpr (std::is_void_v<T>) {
      done(result ? Status() : Status(failure(result.error())));
    } else {
      if (!result) return done(failure(result.error()));
      T* const value = std::get_if<T>(&*result);
      if (value == nullptr) return done(failure(ErrorCode::kProtocol, "answer of another kind"));
      done(std::move(*value));
    }
  };
}

class AsioSession final : public Session {
 public:
  AsioSession(asio::io_context& loop, SessionOptions options, SessionObserver& observer,
              SidecarPool* helpers);

  void begin(Fd own_server);
  void refuse(const Error& error);  // on_closed from the loop

  void sit_at(Fd connection) override;
  std::string local_address() const override { return local_address_; }
  std::string coordinator_address() const override { return coordinator_address_; }
  bool closed_by_coordinator() const override { return closed_by_coordinator_; }
  void send(std::string bytes) override;
  void set(std::string key, std::string value, Duration timeout, Completion<void> done) override;
  void get(std::string key, Duration timeout, Completion<std::string> done) override;
  void wait(std::vector<std::string> keys, Duration timeout, Completion<void> done) override;
  void add(std::string key, std::int64_t delta, Duration timeout,
           Completion<std::int64_t> done) override;
  void barrier(std::string name, Duration timeout, Completion<void> done) override;
  void all_gather(std::string name, std::string bytes, Duration timeout,
                  Completion<std::vector<std::string>> done) override;
  void broadcast(std::string name, MemberIndex root, std::string bytes, Duration timeout,
                 Completion<std::string> done) override;
  void leave(Duration timeout, Completion<void> done) override;

 private:
  using Driver = EngineDriver<MemberEngine, MemberEvent, member_event::Tick, MemberEffect>;
  struct Host {  // of one successor
    bool is_here = false;
    std::vector<std::string> names;      // those that are no numeric address
    bool is_known = false;               // the names are looked up
    std::vector<std::string> addresses;  // numeric; where it is searched
  };

  void connect(member_event::Connected event);
  std::uint32_t successor_at(const std::string& address) const;
  void show_addresses(Host& host, const std::vector<std::string>& addresses);
  void on_walked();
  void on_candidate(Fd socket, std::size_t place, const SocketAddress& where);
  void on_bytes(ConnectionId id, std::string_view bytes);
  void on_ended(ConnectionId id, const Ending& ending);
  void on_encoded(ConnectionId id, const Result<SidecarAnswer>& answer);
  void show_hosts(std::size_t count);
  void look_up_names();
  void on_looked_up(std::size_t host, const Result<SidecarAnswer>& answer);
  void release_place(ConnectionId id);
  void start(Operation operation, Duration timeout,
             std::function<void(Result<OperationValue>)> done);

  void carry_out(SendFrame& effect);
  void carry_out(CloseConnection& effect);
  void carry_out(Note& effect) { note(effect.line); }
  void carry_out(member_effect::Search& effect);
  void carry_out(member_effect::StopSearch& effect);
  void carry_out(member_effect::TakeRole& effect);
  void carry_out(member_effect::RivalMet& effect) { observer_.on_rival(effect.epoch); }
  void carry_out(member_effect::EncodeCredential& effect);
  void carry_out(member_effect::RosterCommitted& effect);
  void carry_out(member_effect::MessageArrived& effect) { observer_.on_message(effect.bytes); }
  void carry_out(member_effect::CoordinatorSilent& effect) {
    observer_.on_coordinator_silent(effect.silent);
  }
  void carry_out(member_effect::Completed& effect);
  void carry_out(member_effect::LeftMeeting& effect);
  void carry_out(member_effect::Closed& effect);
  void note(std::string_view line);
  std::string search_summary() const;

  asio::io_context& loop_;
  SessionOptions options_;
  SessionObserver& observer_;
  std::vector<Host> hosts_;
  std::size_t shown_ = 0;  // so many of them are searched
  Fd own_server_;          // of join_local(), until the engine asks for it
  bool searching_ = false;
  std::string look_up_trouble_;
  std::string unfound_;  // what a search had tried when it ended; "" once it had found someone
  std::string local_address_;
  bool closed_by_coordinator_ = false;
  std::string coordinator_address_;
  NoteLimiter notes_;
  SidecarPool own_helpers_;
  SidecarPool& helpers_;
  LoopTimer look_up_;
  CoordinatorSearch search_;
  std::unordered_map<ConnectionId, std::size_t> place_of_;
  std::unordered_map<RequestId, std::function<void(Result<OperationValue>)>> requests_;
  Completion<void> on_left_;
  std::uint64_t last_request_ = 0;
  ConnectionTable connections_;
  Driver driver_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

AsioSession::AsioSession(asio::io_context& loop, SessionOptions options, SessionObserver& observer,
                         SidecarPool* helpers)
    : loop_(loop),
      options_(std::move(options)),
      observer_(observer),
      own_helpers_(loop, 1,
                   {.host = options_.self.host,
                    .on_stuck = [this](const Error& error) { note(error.message()); }}),
      helpers_(helpers != nullptr ? *helpers : own_helpers_),
      look_up_(loop, [this] { look_up_names(); }),
      search_(
          loop, options_.ports,
          [this](Fd socket, std::size_t place, const SocketAddress& where) {
            on_candidate(std::move(socket), place, where);
          },
          [this] { on_walked(); }),
      connections_(loop, {[this](ConnectionId id, std::string_view bytes) { on_bytes(id, bytes); },
                          [this](ConnectionId id, const Ending& end) { on_ended(id, end); }}),
      driver_(loop, engine_options(options_), [this](MemberEffect effect) {
        std::visit([this](auto& each) { carry_out(each); }, effect);
      }) {}

void AsioSession::begin(Fd own_server) {
  own_server_ = std::move(own_server);
  hosts_.resize(options_.successors.size());
  for (std::size_t i = 0; i < hosts_.size(); ++i)
    hosts_[i].is_here = options_.self.node == options_.successors[i].node;
  driver_.queue(driver_.engine().begin());
  driver_.drain_later();
}

void AsioSession::sit_at(Fd connection) {
  ::fcntl(connection.get(), F_SETFL, O_NONBLOCK);
  member_event::Connected event;
  event.connection = connections_.add(std::move(connection));
  event.same_process = true;
  event.place = options_.place.value_or(0);
  connect(std::move(event));
}

void AsioSession::carry_out(member_effect::TakeRole& effect) {
  if (own_server_.is_open()) return sit_at(std::move(own_server_));
  observer_.on_take_role({effect.epoch, effect.lost_node});
}

void AsioSession::refuse(const Error& error) {
  asio::post(loop_, [this, error, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired()) observer_.on_closed(error);
  });
}

// --- Search ----------------------------------------------------------------------------------

void AsioSession::connect(member_event::Connected event) {
  event.nonce = random_bytes(kNonceSize);
  event.key = random_bytes(kDigestSize);
  driver_.step_later(event);
}

void AsioSession::on_candidate(Fd socket, std::size_t place, const SocketAddress& where) {
  tune_stream(socket.get(), std::min(options_.lost_after, kLostWhileGathering));
  const auto local = rendezvous::local_address(socket.get());
  member_event::Connected event;
  event.connection = connections_.add(std::move(socket));
  event.server = endpoint_of(where);
  if (local) event.local_address = address_of(*local);
  event.place = successor_at(search_.address_of_place(place));
  place_of_[event.connection] = place;
  connect(std::move(event));
}

std::uint32_t AsioSession::successor_at(const std::string& address) const {
  for (std::size_t i = 0; i < shown_; ++i) {
    const std::vector<std::string>& known = hosts_[i].addresses;
    if (std::find(known.begin(), known.end(), address) != known.end())
      return static_cast<std::uint32_t>(i);
  }
  return 0;
}

void AsioSession::on_walked() {
  member_event::SearchedRound event;
  for (std::size_t i = 0; i < shown_; ++i) {
    const bool is_looked_up = hosts_[i].names.empty() || hosts_[i].is_known;
    if (is_looked_up && search_.is_closed(hosts_[i].addresses))
      event.closed.push_back(static_cast<std::uint32_t>(i));
  }
  for (const SocketAddress& where : search_.shut()) event.shut.push_back(endpoint_of(where));
  driver_.step_later(std::move(event));
}

void AsioSession::on_bytes(ConnectionId id, std::string_view bytes) {
  driver_.step(member_event::Received{id, bytes});
}

void AsioSession::on_ended(ConnectionId id, const Ending& ending) {
  release_place(id);
  if (ending.peer_is_silent) {
    driver_.step(member_event::Stalled{id, ending.detail});
  } else {
    driver_.step(member_event::Disconnected{id, ending.detail});
  }
}

void AsioSession::release_place(ConnectionId id) {
  const auto found = place_of_.find(id);
  if (found == place_of_.end()) return;
  search_.release(found->second);
  place_of_.erase(found);
}

void AsioSession::carry_out(SendFrame& effect) {
  unfound_.clear();  // members speak to the coordinator they have chosen, to nobody else
  connections_.send(effect.connection, effect.bytes);
}

void AsioSession::carry_out(CloseConnection& effect) {
  connections_.close_after_flush(effect.connection, kFlushLimit);
  release_place(effect.connection);
}

void AsioSession::carry_out(member_effect::Search& effect) {
  searching_ = true;
  show_hosts(effect.all_successors ? hosts_.size() : 1);
  search_.start();
  const bool has_loopback = hosts_.front().is_here;
  look_up_.arm_after(has_loopback ? kLookUpAfterLoopback : Duration::zero());
}

// From now on the first `count` hosts are searched; never fewer again.
void AsioSession::show_hosts(std::size_t count) {
  for (; shown_ < count; ++shown_) {
    if (options_.place == shown_) continue;  // this process itself
    Host& host = hosts_[shown_];
    std::vector<std::string> numeric;
    if (host.is_here) numeric = {"127.0.0.1", "::1"};
    for (const std::string& name : options_.successors[shown_].hosts)
      (numeric_address(name, 0) ? numeric : host.names).push_back(name);
    show_addresses(host, numeric);
  }
}

void AsioSession::show_addresses(Host& host, const std::vector<std::string>& addresses) {
  host.addresses.insert(host.addresses.end(), addresses.begin(), addresses.end());
  search_.add_addresses(addresses);
}

void AsioSession::carry_out(member_effect::StopSearch&) {
  searching_ = false;
  unfound_ = search_summary();
  search_.stop();
  look_up_.cancel();
}

void AsioSession::look_up_names() {
  for (std::size_t i = 0; i < shown_; ++i) {
    if (hosts_[i].names.empty() || hosts_[i].is_known) continue;
    helpers_.call(LookUpHosts{hosts_[i].names}, [this, i, alive = std::weak_ptr<char>(alive_)](
                                                    const Result<SidecarAnswer>& answer) {
      if (!alive.expired()) on_looked_up(i, answer);
    });
  }
}

void AsioSession::on_looked_up(std::size_t host, const Result<SidecarAnswer>& answer) {
  if (!searching_) return;
  if (!answer) {
    look_up_trouble_ = answer.error().message();
    const bool is_all = hosts_.size() == 1 && !search_.has_addresses();
    if (answer.error().code() == ErrorCode::kNotFound && is_all)
      return driver_.step(member_event::SearchFailed{answer.error()});
    look_up_.arm_after(kLookUpAgain);
    return note(look_up_trouble_);
  }
  const auto* const found = std::get_if<LookedUpHosts>(&*answer);
  if (found == nullptr) return;
  const UsableAddresses usable = usable_addresses(*found, hosts_[host].is_here);
  show_addresses(hosts_[host], usable.addresses);
  look_up_trouble_.clear();
  for (const std::string& remark : usable.remarks)
    look_up_trouble_ += (look_up_trouble_.empty() ? "" : "; ") + remark;
  hosts_[host].is_known = !usable.addresses.empty();
  if (usable.addresses.empty()) look_up_.arm_after(kLookUpAgain);
  if (!look_up_trouble_.empty()) note(look_up_trouble_);
}

void AsioSession::carry_out(member_effect::EncodeCredential& effect) {
  unfound_.clear();
  helpers_.call(MungeEncode{options_.authentication.munge_socket, effect.payload},
                [this, id = effect.connection,
                 alive = std::weak_ptr<char>(alive_)](const Result<SidecarAnswer>& answer) {
                  if (!alive.expired()) on_encoded(id, answer);
                });
}

void AsioSession::on_encoded(ConnectionId id, const Result<SidecarAnswer>& answer) {
  member_event::CredentialEncoded event{id, std::string()};
  if (!answer) {
    event.credential = failure(answer.error());
  } else if (const auto* made = std::get_if<MungeCredential>(&*answer)) {
    event.credential = made->credential;
  } else {
    event.credential = failure(ErrorCode::kProtocol, "the sidecar answered another call");
  }
  driver_.step(event);
}

// --- Membership ------------------------------------------------------------------------------

void AsioSession::carry_out(member_effect::RosterCommitted& effect) {
  own_helpers_.stop();
  if (!effect.server_address.empty())
    tune_stream(connections_.descriptor(effect.connection), options_.lost_after);
  local_address_ = effect.local_address;
  coordinator_address_ = effect.server_address;
  observer_.on_roster(effect.roster);
}

void AsioSession::carry_out(member_effect::LeftMeeting& effect) {
  const Completion<void> done = std::move(on_left_);
  on_left_ = nullptr;
  driver_.drain_now();  // the connection closes even if `done` destroys us
  if (done) done(std::move(effect.status));
}

void AsioSession::carry_out(member_effect::Closed& effect) {
  own_helpers_.stop();
  search_.stop();
  look_up_.cancel();
  closed_by_coordinator_ = effect.by_coordinator;
  const Error error =
      unfound_.empty()
          ? effect.error
          : Error(effect.error.code(), effect.error.message() + " (tried " + unfound_ + ")");
  driver_.drain_now();
  observer_.on_closed(error);
}

std::string AsioSession::search_summary() const {
  std::string tried = search_.summary();
  if (!look_up_trouble_.empty()) tried += (tried.empty() ? "" : "; ") + look_up_trouble_;
  return tried;
}

void AsioSession::note(std::string_view line) {
  const std::weak_ptr<char> alive = alive_;
  for (const std::string& each : notes_.admit(line, Clock::now())) {
    observer_.on_note(each);
    if (alive.expired()) return;
  }
}

// --- Application -----------------------------------------------------------------------------

void AsioSession::start(Operation operation, Duration timeout,
                        std::function<void(Result<OperationValue>)> done) {
  const RequestId request{++last_request_};
  requests_.emplace(request, std::move(done));
  driver_.step_later(member_event::Start{request, std::move(operation), timeout});
}

void AsioSession::carry_out(member_effect::Completed& effect) {
  const auto found = requests_.find(effect.request);
  if (found == requests_.end()) return;
  const auto done = std::move(found->second);
  requests_.erase(found);
  done(std::move(effect.result));
}

void AsioSession::send(std::string bytes) {
  driver_.step_later(member_event::Send{std::move(bytes)});
}

void AsioSession::set(std::string key, std::string value, Duration timeout, Completion<void> done) {
  start(operation::Set{std::move(key), std::move(value)}, timeout, typed<void>(std::move(done)));
}

void AsioSession::get(std::string key, Duration timeout, Completion<std::string> done) {
  start(operation::Get{std::move(key)}, timeout, typed<std::string>(std::move(done)));
}

void AsioSession::wait(std::vector<std::string> keys, Duration timeout, Completion<void> done) {
  start(operation::Wait{std::move(keys)}, timeout, typed<void>(std::move(done)));
}

void AsioSession::add(std::string key, std::int64_t delta, Duration timeout,
                      Completion<std::int64_t> done) {
  start(operation::Add{std::move(key), delta}, timeout, typed<std::int64_t>(std::move(done)));
}

void AsioSession::barrier(std::string name, Duration timeout, Completion<void> done) {
  start(operation::Barrier{std::move(name)}, timeout, typed<void>(std::move(done)));
}

void AsioSession::all_gather(std::string name, std::string bytes, Duration timeout,
                             Completion<std::vector<std::string>> done) {
  start(operation::AllGather{std::move(name), std::move(bytes)}, timeout,
        typed<std::vector<std::string>>(std::move(done)));
}

void AsioSession::broadcast(std::string name, MemberIndex root, std::string bytes, Duration timeout,
                            Completion<std::string> done) {
  start(operation::Broadcast{std::move(name), root, std::move(bytes)}, timeout,
        typed<std::string>(std::move(done)));
}

void AsioSession::leave(Duration timeout, Completion<void> done) {
  on_left_ = std::move(done);
  driver_.step_later(member_event::LeaveMeeting{timeout});
}

std::unique_ptr<Session> join_with(asio::io_context& loop, SessionOptions options, Fd own_server,
                                   SessionObserver& observer, SidecarPool* helpers) {
  const std::string context = "join " + to_string(options.incarnation);
  Status checked = check_options(engine_options(options));
  if (checked && !own_server.is_open()) checked = check_search(options);
  auto session = std::make_unique<AsioSession>(loop, std::move(options), observer, helpers);
  if (checked) {
    session->begin(std::move(own_server));
  } else {
    session->refuse(checked.error().within(context));
  }
  return session;
}

}  // namespace

std::unique_ptr<Session> Session::join(asio::io_context& loop, SessionOptions options,
                                       SessionObserver& observer, SidecarPool* helpers) {
  return join_with(loop, std::move(options), Fd(), observer, helpers);
}

std::unique_ptr<Session> Session::join_local(asio::io_context& loop, SessionOptions options,
                                             Fd connection, SessionObserver& observer) {
  options.place = 0;
  if (options.successors.empty()) options.successors = {{options.self.node, {}}};
  return join_with(loop, std::move(options), std::move(connection), observer, nullptr);
}

}  // namespace muster::rendezvous
