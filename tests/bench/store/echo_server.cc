// echo_server: does nothing, as fast as one thread can: the bound for every server of this load.
//
//   echo_server --script "$(store_load --print-script)" [--port P]
//
// Reads and answers by count alone: the script says how many bytes each request of a connection has
// and how many come back ("10:4,22:8,400:137"; the last is repeated). Prints "port N"; ends when
// its standard input does.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/sockets.h"

namespace muster::bench {
namespace {

constexpr int kEvents = 512;
constexpr std::size_t kBufferBytes = 65536;

struct Step {
  std::size_t request = 0;
  std::size_t reply = 0;
};

struct EchoPeer {
  Fd socket;
  std::size_t step = 0;
  std::size_t received = 0;  // of the present request
};

Result<std::vector<Step>> parse_script(const std::string& text) {
  std::vector<Step> steps;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    Step step;
    const auto request = std::from_chars(at, end, step.request);
    if (request.ec != std::errc() || request.ptr == end || *request.ptr != ':') break;
    const auto reply = std::from_chars(request.ptr + 1, end, step.reply);
    if (reply.ec != std::errc() || step.request == 0 || step.reply > kBufferBytes) break;
    steps.push_back(step);
    if (reply.ptr == end) return steps;
    if (*reply.ptr != ',') break;
    at = reply.ptr + 1;
  }
  return failure(ErrorCode::kInvalidArgument,
                 "--script " + text + " is no list such as 10:4,22:8,400:137");
}

class EchoServer {
 public:
  EchoServer(std::vector<Step> steps, Fd listener, Fd epoll)
      : steps_(std::move(steps)), listener_(std::move(listener)), epoll_(std::move(epoll)) {}

  Status run();

 private:
  void watch(int descriptor, void* tag);
  void accept_all();
  void serve(EchoPeer* peer);
  bool answer(EchoPeer& peer, std::size_t size);

  std::vector<Step> steps_;
  Fd listener_;
  Fd epoll_;
  std::array<char, kBufferBytes> buffer_{};
  const std::array<char, kBufferBytes> zeros_{};
};

void EchoServer::watch(int descriptor, void* tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = tag;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event);
}

void EchoServer::accept_all() {
  rendezvous::Accepted accepted;
  while (rendezvous::accept_one(listener_.get(), accepted) ==
         rendezvous::AcceptOutcome::kAccepted) {
    const int on = 1;
    ::setsockopt(accepted.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto peer = std::make_unique<EchoPeer>();
    peer->socket = std::move(accepted.socket);
    const int descriptor = peer->socket.get();
    watch(descriptor, peer.release());  // owned by the epoll set until it ends, in serve()
  }
}

bool EchoServer::answer(EchoPeer& peer, std::size_t size) {
  peer.received += size;
  while (peer.received >= steps_[peer.step].request) {
    const Step step = steps_[peer.step];
    peer.received -= step.request;
    if (peer.step + 1 < steps_.size()) ++peer.step;
    const ssize_t sent = ::send(peer.socket.get(), zeros_.data(), step.reply, MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(step.reply)) return false;
  }
  return true;
}

void EchoServer::serve(EchoPeer* peer) {
  const ssize_t size = ::recv(peer->socket.get(), buffer_.data(), buffer_.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0 || !answer(*peer, static_cast<std::size_t>(size))) delete peer;
}

Status EchoServer::run() {
  watch(listener_.get(), this);
  watch(STDIN_FILENO, nullptr);
  std::array<epoll_event, kEvents> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEvents, -1);
    if (count < 0 && errno != EINTR) return failure(system_error("epoll_wait", errno));
    for (int i = 0; i < count; ++i) {
      void* const tag = events[static_cast<std::size_t>(i)].data.ptr;
      if (tag == nullptr) return {};
      if (tag == this)
        accept_all();
      else
        serve(static_cast<EchoPeer*>(tag));
    }
  }
}

Status serve_script(const std::string& script, std::uint16_t port) {
  MUSTER_TRY(steps, parse_script(script));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  MUSTER_TRY(listener, rendezvous::listen_on("", port));
  MUSTER_TRY(where, rendezvous::local_address(listener.get()));
  std::printf("port %u\n", rendezvous::port_of(where));
  std::fflush(stdout);
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return failure(system_error("epoll_create1", errno));
  return EchoServer(std::move(steps), std::move(listener), std::move(epoll)).run();
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  std::string script;
  std::uint16_t port = 0;
  CLI::App app("Answers requests by their length alone: the bound for every store server");
  app.add_option("--script", script, "bytes of request:reply, as store_load --print-script says")
      ->required();
  app.add_option("--port", port, "0: the kernel chooses");
  CLI11_PARSE(app, argc, argv);
  const auto status = muster::bench::serve_script(script, port);
  if (status) return 0;
  std::fprintf(stderr, "echo_server: %s\n", status.error().message().c_str());
  return 1;
}
