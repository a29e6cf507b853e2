// CoordinatorSearch: connects to the places where a coordinator may be, again and again. A shell.
//
// Walks addresses x ports: the next one is tried as soon as one refuses, or a moment later, so
// silent ones do not hold up the others. After a walk it pauses, shorter at first (10, 20, 40 ms: a
// coordinator that is a little late costs little), then up to a second, with jitter, and mostly
// tries only the first port: thousands of members may wait for one late coordinator. Who answers
// the connect is for the owner to judge; a place whose connection the owner closed rests before it
// is tried again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/time.h"
#include "rendezvous/sockets.h"
#include "rendezvous/timer.h"

namespace muster::rendezvous {

class CoordinatorSearch {
 public:
  // Longer after each time that a place did not answer: where thousands connect at once, the kernel
  // sends again what was lost after a second, and who gives up before makes it worse.
  static constexpr Duration kConnectLimit = std::chrono::milliseconds(250);
  static constexpr Duration kLongestConnectLimit = std::chrono::milliseconds(4000);
  static constexpr Duration kStagger = std::chrono::milliseconds(10);
  static constexpr Duration kHeadStart = std::chrono::milliseconds(25);  // of a walk's first place
  // While someone has answered a connect and may be about to greet, and twice as long each time: a
  // coordinator that thousands join at once is slow, and need not be scanned by all of them
  // besides.
  static constexpr Duration kStaggerWhileAnswered = std::chrono::milliseconds(250);
  static constexpr Duration kLongestStagger = std::chrono::seconds(2);

  // From the loop; `place` is for release().
  using OnConnected = std::function<void(Fd, std::size_t place, const SocketAddress&)>;
  // From the loop, between two walks.
  using OnWalked = std::function<void()>;

  CoordinatorSearch(asio::io_context& loop, std::vector<std::uint16_t> ports,
                    OnConnected on_connected, OnWalked on_walked);
  ~CoordinatorSearch();
  CoordinatorSearch(const CoordinatorSearch&) = delete;
  CoordinatorSearch& operator=(const CoordinatorSearch&) = delete;

  // Numeric ones, most promising first. Those known already and those that are no address are
  // passed over.
  void add_addresses(const std::vector<std::string>& addresses);

  void start();
  void stop();  // connections that were handed over stay with the owner

  // The connection of `place` is closed.
  void release(std::size_t place);

  const std::string& address_of_place(std::size_t place) const {
    return addresses_[place / ports_.size()];
  }

  bool has_addresses() const { return !places_.empty(); }

  // Whether nobody listens there: each of these addresses was tried at every port, none answered or
  // kept us waiting the last time, and at least one refused.
  bool is_closed(const std::vector<std::string>& addresses) const;

  // Those that answered once, and refused the last time.
  std::vector<SocketAddress> shut() const;

  // What was tried last and how it ended, for an error's text; "" when nothing was tried.
  std::string summary() const;

 private:
  enum class Use { kIdle, kConnecting, kTaken };
  struct Place {
    SocketAddress where;
    std::size_t port_number = 0;  // place of its port in the list
    Use use = Use::kIdle;
    TimePoint rests_until{};
    int releases = 0;
    int silences = 0;            // times that nobody answered a connect in time
    std::optional<int> outcome;  // errno of the last try, 0 when it was answered
    bool has_answered = false;   // once
    std::string last_error;
  };
  struct Probe;

  void start_walk();
  void launch_next();
  bool launch(std::size_t place);  // false when it failed at once
  void on_probe_late(std::size_t place);
  bool has_unread_answer() const;
  void on_probe_done(std::size_t place, int error);
  Duration pause_after_walk();
  Duration jittered(Duration duration);
  void arm_next();

  asio::io_context& loop_;
  std::vector<std::uint16_t> ports_;
  OnConnected on_connected_;
  OnWalked on_walked_;
  std::vector<std::string> addresses_;
  std::deque<Place> places_;                    // references stay valid while it grows
  std::vector<std::shared_ptr<Probe>> probes_;  // by place; null when none
  std::deque<std::size_t> walk_;                // places still to try in this walk
  LoopTimer next_;                              // the next place, or the next walk
  std::minstd_rand random_;
  TimePoint started_{};
  int walks_ = 0;
  std::size_t answered_ = 0;  // places whose connection the owner has
  bool is_first_ = false;     // the place that was tried last was its walk's first
  int patience_ = 0;          // how often we waited while someone had answered
  bool running_ = false;
};

}  // namespace muster::rendezvous
