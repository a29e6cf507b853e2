#include "rendezvous/sidecar.h"

#include <fcntl.h>

namespace muster::rendezvous {

namespace {

constexpr int kAttempts = 2;

struct Describe {
  std::string operator()(const MungeEncode&) const { return "make a munge credential"; }
  std::string operator()(const MungeDecode&) const { return "open a munge credential"; }
  std::string operator()(const LookUpHosts& call) const {
    std::string text = "look up";
    for (const std::string& host : call.hosts) text += " " + host;
    return text;
  }
};

// What is likely to hang, and the command that shows it.
std::string suspicion(const SidecarCall& call) {
  const auto* const names = std::get_if<LookUpHosts>(&call);
  if (names == nullptr) return "munge hangs there (munge -n | unmunge)";
  return "name lookup hangs there" +
         (names->hosts.empty() ? std::string() : " (getent hosts " + names->hosts.front() + ")");
}

// "5 s", "500 ms".
std::string in_words(Duration limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  if (seconds == limit) return std::to_string(seconds.count()) + " s";
  return std::to_string(limit.count()) + " ms";
}

}  // namespace

std::string describe(const SidecarCall& call) {
  return std::visit(Describe{}, call);
}

Sidecar::Sidecar(asio::io_context& loop, SidecarOptions options)
    : loop_(loop),
      options_(std::move(options)),
      limit_(loop, [this] { on_limit(); }),
      starter_(loop, [this] { start_next(); }) {}

Sidecar::~Sidecar() {
  stop();
}

void Sidecar::call(SidecarCall call, OnAnswer done) {
  calls_.push_back({std::move(call), std::move(done)});
  if (!in_call_ && !starter_.is_armed()) starter_.arm_after(Duration::zero());
}

void Sidecar::stop() {
  calls_.clear();
  in_call_ = false;
  starter_.cancel();
  end_child();
}

void Sidecar::start_next() {
  if (in_call_ || calls_.empty()) return;
  Pending& next = calls_.front();
  if (!connection_) {
    const Status started = start_child();
    if (!started) return finish(failure(started.error().within(describe(next.call))));
  }
  in_call_ = true;
  ++next.attempts;
  limit_.arm_after(options_.call_limit);
  connection_->send(framed(encode_call(next.call)));
}

Status Sidecar::start_child() {
  MUSTER_TRY(program, find_helper_program());
  MUSTER_TRY(child, HelperProcess::spawn(program, "sidecar", HelperProcess::Stderr::kOurs));
  child_ = std::move(child);
  Fd socket = child_.take_socket();
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  connection_ = Connection::create(loop_, std::move(socket), kMaxSidecarFrame + 4);
  connection_->start(
      [this](std::string_view bytes) { on_bytes(bytes); },
      [this](const Ending& ending) {
        on_child_failed(Error(ErrorCode::kUnavailable, "the sidecar ended: " + ending.detail));
      });
  return {};
}

void Sidecar::on_bytes(std::string_view bytes) {
  received_ += bytes;
  std::string body;
  const Result<bool> complete = take_frame(received_, body);
  if (!complete) return on_child_failed(complete.error());
  if (!*complete) return;
  Result<Result<SidecarAnswer>> answer = parse_answer(body);
  if (!answer) return on_child_failed(answer.error());
  if (!in_call_) return on_child_failed(Error(ErrorCode::kProtocol, "an answer to no call"));
  in_call_ = false;
  limit_.cancel();
  finish(std::move(*answer));
}

void Sidecar::on_limit() {
  const Error error = stuck(calls_.front().call);
  if (options_.on_stuck) options_.on_stuck(error);
  on_child_failed(error);
}

Error Sidecar::stuck(const SidecarCall& call) const {
  return Error(ErrorCode::kTimeout, "the helper process muster-rendezvous (pid " +
                                        std::to_string(child_.pid()) + ")" +
                                        (options_.host.empty() ? "" : " on " + options_.host) +
                                        " did not answer within " + in_words(options_.call_limit) +
                                        ": " + suspicion(call));
}

void Sidecar::on_child_failed(const Error& error) {
  end_child();
  if (!in_call_) return;  // it died idle; the next call starts another
  in_call_ = false;
  if (calls_.front().attempts < kAttempts) return start_next();
  finish(failure(error.within(describe(calls_.front().call))));
}

void Sidecar::finish(Result<SidecarAnswer> answer) {
  const OnAnswer done = std::move(calls_.front().done);
  calls_.pop_front();
  if (!calls_.empty()) starter_.arm_after(Duration::zero());
  done(std::move(answer));  // may destroy us
}

void Sidecar::end_child() {
  limit_.cancel();
  received_.clear();
  if (connection_) connection_->close();
  connection_.reset();
  child_.kill();
}

}  // namespace muster::rendezvous
