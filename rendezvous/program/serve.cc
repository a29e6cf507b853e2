#include "rendezvous/program/serve.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "rendezvous/program/limits.h"
#include "rendezvous/program/signals.h"
#include "rendezvous/serve_messages.h"
#include "rendezvous/server.h"
#include "rendezvous/timer.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kFlush = std::chrono::seconds(2);
constexpr int kOptionsLimitMs = 10'000;

Result<std::string> read_options_line() {
  std::string line;
  std::array<char, 64 * 1024> buffer;
  while (line.size() <= kMaxServeLine) {
    pollfd waits{STDIN_FILENO, POLLIN, 0};
    if (::poll(&waits, 1, kOptionsLimitMs) == 0)
      return failure(ErrorCode::kTimeout, "no options on stdin within 10 s");
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure(system_error("read options", errno));
    line.append(buffer.data(), static_cast<std::size_t>(size));
    const std::size_t newline = line.find('\n');
    if (newline != std::string::npos) return line.substr(0, newline);
    if (size == 0) return line;
  }
  return failure(ErrorCode::kLimit, "the options are too long");
}

bool stdin_is_an_owner() {
  struct stat status {};
  return ::fstat(STDIN_FILENO, &status) == 0 && S_ISSOCK(status.st_mode);
}

void report(const ServeReport& text) {
  std::fputs((to_json(text) + "\n").c_str(), stdout);
  std::fflush(stdout);
}

class ServedGroup final : public ServerObserver {
 public:
  ServedGroup(asio::io_context& loop, const ServerOptions& options)
      : loop_(loop), owner_(loop), linger_(loop, [this] { end("its owner is gone", 1); }) {
    for (std::size_t i = 0; i < options.expected.size(); ++i) present_.insert(i);
  }

  Status open(ServerOptions options) {
    MUSTER_TRY(server, Server::open(loop_, std::move(options), *this));
    server_ = std::move(server);
    return {};
  }

  std::uint16_t port() const { return server_->port(); }
  int exit_code() const { return exit_code_; }

  void watch_owner() {
    owner_.assign(STDIN_FILENO);
    start_watch();
  }

  void on_assembled(const Roster&) override {
    assembled_ = true;
    if (owner_gone_) linger_.arm_after(kLinger);
  }
  void on_assembly_progress(const std::vector<ExpectedMember>&, Duration) override {}
  void on_assembly_failed(const Error& error) override { end(error.message(), 1); }
  void on_message(MemberIndex, std::string_view) override {}
  void on_member_suspect(MemberIndex, Duration) override {}
  void on_member_lost(const Loss& loss) override { forget(loss.member); }
  void on_member_left(MemberIndex member) override { forget(member); }
  void on_note(std::string_view line) override {
    std::fprintf(stderr, "muster-rendezvous: %.*s\n", static_cast<int>(line.size()), line.data());
  }

 private:
  void start_watch() {
    owner_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) { on_owner(error); });
  }

  // The owner never writes more; readable means that it is gone.
  void on_owner(const boost::system::error_code& error) {
    if (error) return;
    owner_gone_ = true;
    if (!assembled_) return end("its owner is gone", 1);
    linger_.arm_after(kLinger);
  }

  void forget(MemberIndex member) {
    present_.erase(value_of(member));
    if (present_.empty()) end("all members have left", 0);
  }

  // The loop runs dry when the last words are flushed.
  void end(const std::string& reason, int exit_code) {
    if (!server_) return;
    exit_code_ = exit_code;
    linger_.cancel();
    boost::system::error_code ignored;
    owner_.cancel(ignored);
    server_->close(reason, kFlush);
    server_.reset();
  }

  asio::io_context& loop_;
  asio::posix::stream_descriptor owner_;
  LoopTimer linger_;
  std::unique_ptr<Server> server_;
  std::set<std::size_t> present_;
  bool assembled_ = false;
  bool owner_gone_ = false;
  int exit_code_ = 1;
};

Status serve(int& exit_code) {
  MUSTER_TRY(line, read_options_line());
  MUSTER_TRY(options, parse_server_options(line));
  asio::io_context loop(1);
  ServedGroup group(loop, options);
  MUSTER_RETURN_IF_ERROR(group.open(std::move(options)));
  report(Serving{group.port()});
  if (stdin_is_an_owner()) group.watch_owner();
  loop.run();
  exit_code = group.exit_code();
  return {};
}

}  // namespace

int run_server() {
  if (stdin_is_an_owner()) ignore_signals_to_the_step();
  raise_descriptor_limit();
  int exit_code = 1;
  const Status status = serve(exit_code);
  if (!status) report(status.error());
  return exit_code;
}

}  // namespace muster::rendezvous
