#include "rendezvous/group.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/check.h"
#include "rendezvous/helper_process.h"
#include "rendezvous/serve_messages.h"
#include "rendezvous/session.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kServerStart = std::chrono::seconds(10);
constexpr Duration kLeaveInHaste = std::chrono::milliseconds(200);
// The session keeps its own deadlines; this one only guards against a fault of ours.
constexpr Duration kGuard = std::chrono::seconds(2);
constexpr Duration kWordOfServer = std::chrono::milliseconds(500);

Duration rest_until(TimePoint end) {
  const auto rest = std::chrono::duration_cast<Duration>(end - Clock::now());
  return std::max(rest, Duration::zero());
}

Status wait_for(int socket, short events, TimePoint end) {
  pollfd waits{socket, events, 0};
  const int ready = ::poll(&waits, 1, static_cast<int>(rest_until(end).count()));
  if (ready > 0 || (ready < 0 && errno == EINTR)) return {};
  if (ready == 0) return failure(ErrorCode::kTimeout, "it does not answer");
  return failure(system_error("poll", errno));
}

Status write_all(int socket, std::string_view bytes, TimePoint end) {
  while (!bytes.empty()) {
    MUSTER_RETURN_IF_ERROR(wait_for(socket, POLLOUT, end));
    const ssize_t size = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
    if (size < 0 && errno != EAGAIN && errno != EINTR) return failure(system_error("write", errno));
  }
  return {};
}

Result<std::string> read_line(int socket, TimePoint end) {
  std::string line;
  while (true) {
    MUSTER_RETURN_IF_ERROR(wait_for(socket, POLLIN, end));
    std::array<char, 4096> buffer;
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0) return failure(ErrorCode::kUnavailable, "it ended at once");
    if (size < 0 && errno != EAGAIN && errno != EINTR) return failure(system_error("read", errno));
    if (size > 0) line.append(buffer.data(), static_cast<std::size_t>(size));
    const std::size_t newline = line.find('\n');
    if (newline != std::string::npos) return line.substr(0, newline);
    if (line.size() > kMaxServeLine) return failure(ErrorCode::kLimit, "its answer is too long");
  }
}

ServerOptions server_options(const JoinOptions& options) {
  ServerOptions server;
  server.incarnation = options.incarnation;
  server.node = options.self.node;
  server.expected = options.expected;
  server.ports = options.ports;
  server.authentication = options.authentication;
  // The server names the missing; its word should reach a member before the member's own deadline.
  server.assembly_deadline = options.deadline - std::min(options.deadline / 5, kWordOfServer);
  return server;
}

struct RunningServer {
  HelperProcess process;
  std::uint16_t port = 0;
};

Result<RunningServer> start_server(const JoinOptions& options) {
  const TimePoint end = Clock::now() + std::min(options.deadline, kServerStart);
  MUSTER_TRY(program, find_helper_program());
  MUSTER_TRY(process, HelperProcess::spawn(program, "serve", HelperProcess::Stderr::kNull));
  const int socket = process.socket().get();
  MUSTER_RETURN_IF_ERROR(write_all(socket, to_json(server_options(options)) + "\n", end));
  MUSTER_TRY(line, read_line(socket, end));
  MUSTER_TRY(report, parse_serve_report(line));
  if (const auto* error = std::get_if<Error>(&report)) return failure(*error);
  return RunningServer{std::move(process), std::get<Serving>(report).port};
}

SessionOptions session_options(const JoinOptions& options) {
  SessionOptions session;
  session.incarnation = options.incarnation;
  session.self = options.self;
  session.successors = {{options.expected.front().node, options.coordinator_hosts}};
  session.ports = options.ports;
  session.authentication = options.authentication;
  session.deadline = options.deadline;
  return session;
}

}  // namespace

// Pinned: the session holds a reference to its observer.
struct Group::State final : SessionObserver {
  void on_roster(const Roster& complete) override { roster = complete; }
  void on_message(std::string_view) override {}  // members of a Group send none
  void on_coordinator_silent(bool) override {}   // every call has its own timeout
  void on_closed(const Error& error) override { closed = error; }
  void on_note(std::string_view) override {}

  template <class Done>
  void run_until(Done done, TimePoint end) {
    while (!done() && !closed && Clock::now() < end) {
      if (loop.stopped()) loop.restart();
      loop.run_one_until(end);
    }
  }

  // Starts one operation of the session and runs the loop until it completes.
  template <class T, class Start>
  Result<T> complete(Duration timeout, Start start) {
    if (closed) return failure(*closed);
    // Shared: after the guard's time the completion may still come.
    const auto result = std::make_shared<std::optional<Result<T>>>();
    start([result](Result<T> value) { *result = std::move(value); });
    run_until([&result] { return result->has_value(); }, Clock::now() + timeout + kGuard);
    if (*result) return std::move(**result);
    if (closed) return failure(*closed);
    return failure(ErrorCode::kTimeout, "no answer of the loop");
  }

  std::string next_name(const char* kind) {
    return std::string(kind) + "." + std::to_string(collectives++);
  }

  asio::io_context loop{1};
  HelperProcess server;
  std::unique_ptr<Session> session;
  MemberDescription self;
  MemberIndex index{};
  std::optional<Roster> roster;
  std::optional<Error> closed;
  std::uint64_t collectives = 0;
  bool left = false;
};

Group::Group(std::unique_ptr<State> state) : state_(std::move(state)) {}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Group::~Group() {
  if (!state_) return;
  if (!state_->left && !state_->closed) {
    state_->complete<void>(kLeaveInHaste, [this](Completion<void> done) {
      state_->session->leave(kLeaveInHaste, std::move(done));
    });
  }
  state_->server.abandon();
}

Result<Group> Group::join(const JoinOptions& options) {
  const std::string context = "join " + to_string(options.incarnation);
  if (options.expected.empty())
    return failure(ErrorCode::kInvalidArgument, context + ": the list of the expected is empty");
  auto state = std::make_unique<State>();
  SessionOptions session = session_options(options);
  if (options.host_server) {
    Result<RunningServer> server = start_server(options);
    if (!server) return failure(server.error().within(context + ": start its server"));
    state->server = std::move(server->process);
    session.ports = {server->port};
    session.successors.front().node = options.self.node;
  }
  state->session = Session::join(state->loop, std::move(session), *state);
  state->run_until([&state] { return state->roster.has_value(); },
                   Clock::now() + options.deadline + kGuard);
  if (state->closed) return failure(*state->closed);
  if (!state->roster) return failure(ErrorCode::kTimeout, context + ": no answer of the loop");
  for (const Member& member : state->roster->members) {
    if (member.description.node == options.self.node &&
        member.description.task == options.self.task)
      state->index = member.index;
  }
  return Group(std::move(state));
}

MemberIndex Group::index() const {
  return state_->index;
}
std::size_t Group::size() const {
  return state_->roster->members.size();
}
const Roster& Group::roster() const {
  return *state_->roster;
}

Status Group::set(const std::string& key, std::string value, Duration timeout) {
  return state_->complete<void>(timeout, [&](Completion<void> done) {
    state_->session->set(key, std::move(value), timeout, std::move(done));
  });
}

Result<std::string> Group::get(const std::string& key, Duration timeout) {
  return state_->complete<std::string>(timeout, [&](Completion<std::string> done) {
    state_->session->get(key, timeout, std::move(done));
  });
}

Status Group::wait(const std::vector<std::string>& keys, Duration timeout) {
  return state_->complete<void>(timeout, [&](Completion<void> done) {
    state_->session->wait(keys, timeout, std::move(done));
  });
}

Result<std::int64_t> Group::add(const std::string& key, std::int64_t delta, Duration timeout) {
  return state_->complete<std::int64_t>(timeout, [&](Completion<std::int64_t> done) {
    state_->session->add(key, delta, timeout, std::move(done));
  });
}

Status Group::barrier(Duration timeout) {
  return state_->complete<void>(timeout, [&](Completion<void> done) {
    state_->session->barrier(state_->next_name("barrier"), timeout, std::move(done));
  });
}

Result<std::vector<std::string>> Group::all_gather(std::string bytes, Duration timeout) {
  using Values = std::vector<std::string>;
  return state_->complete<Values>(timeout, [&](Completion<Values> done) {
    state_->session->all_gather(state_->next_name("gather"), std::move(bytes), timeout,
                                std::move(done));
  });
}

Result<std::string> Group::broadcast(MemberIndex root, std::string bytes, Duration timeout) {
  return state_->complete<std::string>(timeout, [&](Completion<std::string> done) {
    state_->session->broadcast(state_->next_name("broadcast"), root, std::move(bytes), timeout,
                               std::move(done));
  });
}

// The member with the server returns when all have left, so that the server outlives them.
Status Group::leave(Duration timeout) {
  const TimePoint end = Clock::now() + timeout;
  const Status status = state_->complete<void>(
      timeout, [&](Completion<void> done) { state_->session->leave(timeout, std::move(done)); });
  state_->left = true;
  if (!status || !state_->server.is_running()) return status;
  if (state_->server.wait_for_end(rest_until(end))) return {};
  return failure(ErrorCode::kTimeout, "leave: other members have not left");
}

}  // namespace muster::rendezvous
