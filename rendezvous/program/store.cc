#include "rendezvous/program/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "rendezvous/program/limits.h"
#include "rendezvous/tcpstore/socket_owner.h"
#include "rendezvous/tcpstore/store_server.h"

namespace muster::rendezvous {

namespace {

using tcpstore::StoreServer;

constexpr int kUsageError = 2;

struct StoreArguments {
  std::uint16_t port = 0;
  std::string bind_address;
  bool only_own_user = true;
};

Status apply(StoreArguments& arguments, const std::string& flag, const std::string& value) {
  if (flag == "--port") {
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, arguments.port);
    if (error == std::errc() && stop == end) return {};
    return failure(ErrorCode::kInvalidArgument, "--port '" + value + "' is no port, 0 to 65535");
  }
  if (flag == "--bind") {
    arguments.bind_address = value;
    return {};
  }
  if (flag == "--admission") {
    arguments.only_own_user = value == "uid";
    if (value == "uid" || value == "open") return {};
    return failure(ErrorCode::kInvalidArgument, "--admission '" + value + "' is not uid or open");
  }
  return failure(ErrorCode::kInvalidArgument,
                 "'" + flag + "' is not one of --port, --bind, --admission");
}

Result<StoreArguments> parse_arguments(const std::vector<std::string>& words) {
  StoreArguments arguments;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size())
      return failure(ErrorCode::kInvalidArgument, "'" + words[i] + "' needs a value");
    MUSTER_RETURN_IF_ERROR(apply(arguments, words[i], words[i + 1]));
  }
  return arguments;
}

void say(std::string_view line) {
  std::fprintf(stderr, "muster-rendezvous: %.*s\n", static_cast<int>(line.size()), line.data());
}

bool stdin_is_a_starter() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
}

class ServedStore final : public tcpstore::StoreObserver {
 public:
  explicit ServedStore(asio::io_context& loop)
      : signals_(loop, SIGTERM, SIGINT), starter_(loop), owners_(tcpstore::SocketOwners::open()) {}

  Status open(asio::io_context& loop, const StoreArguments& arguments) {
    tcpstore::StoreServerOptions options;
    options.ports = {arguments.port};
    options.bind_address = arguments.bind_address;
    options.ask_admission = arguments.only_own_user;
    MUSTER_TRY(server, StoreServer::open(loop, std::move(options), *this));
    server_ = std::move(server);
    signals_.async_wait(
        [this](const boost::system::error_code& error, int signal) { on_signal(error, signal); });
    if (stdin_is_a_starter()) {
      starter_.assign(STDIN_FILENO);
      start_read();
    }
    return {};
  }

  std::uint16_t port() const { return server_->port(); }
  int exit_code() const { return exit_code_; }

  void on_peer(const tcpstore::Peer& peer) override {
    const auto owner = owners_.find(peer.remote, peer.local);
    if (!owner) return server_->refuse(peer.id, owner.error().message());
    if (!*owner) return server_->refuse(peer.id, "no process of this machine owns the connection");
    if (**owner == ::getuid()) return server_->admit(peer.id);
    server_->refuse(peer.id, "uid " + std::to_string(**owner) +
                                 " owns the connection, this is uid " + std::to_string(::getuid()) +
                                 "'s store");
  }
  void on_note(std::string_view line) override { say(line); }
  void on_failed(const Error& error) override {
    exit_code_ = 1;
    end(error.message());
  }

 private:
  void on_signal(const boost::system::error_code& error, int signal) {
    if (!error) end(signal == SIGTERM ? "SIGTERM" : "SIGINT");
  }

  void start_read() {
    starter_.async_read_some(asio::buffer(ignored_), [this](const boost::system::error_code& error,
                                                            std::size_t) { on_read(error); });
  }

  // What the starter writes is of no meaning; that it can no longer is.
  void on_read(const boost::system::error_code& error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return end("stdin is closed");
    start_read();
  }

  void end(const std::string& why) {
    say("the store ends: " + why);
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    starter_.cancel(ignored);
    server_.reset();
  }

  asio::signal_set signals_;
  asio::posix::stream_descriptor starter_;
  std::array<char, 4096> ignored_{};
  tcpstore::SocketOwners owners_;
  std::unique_ptr<StoreServer> server_;
  int exit_code_ = 0;
};

Result<int> serve_store(const StoreArguments& arguments) {
  asio::io_context loop(1);
  ServedStore store(loop);
  MUSTER_RETURN_IF_ERROR(store.open(loop, arguments));
  std::printf("port %d\n", store.port());
  std::fflush(stdout);
  loop.run();
  return store.exit_code();
}

}  // namespace

int run_store(const std::vector<std::string>& words) {
  const Result<StoreArguments> arguments = parse_arguments(words);
  if (!arguments) {
    say("store: " + arguments.error().message());
    return kUsageError;
  }
  raise_descriptor_limit();
  const Result<int> exit_code = serve_store(*arguments);
  if (exit_code) return *exit_code;
  say("store: " + exit_code.error().message());
  return 1;
}

}  // namespace muster::rendezvous
