#include "tests/rendezvous/hostility/stranger.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "rendezvous/hmac.h"
#include "rendezvous/sockets.h"

namespace muster::rendezvous {

Digests real_digests() {
  return {&hmac_sha256, &sha256, &equal_in_constant_time};
}

Stranger::Stranger(std::uint16_t port)
    : socket_(std::move(*start_connecting(*numeric_address("127.0.0.1", port)))) {
  pollfd connected{socket_.get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&connected, 1, static_cast<int>(kPatience.count())), 1);
}

std::size_t Stranger::say(std::string_view bytes) {
  const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return size < 0 ? 0 : static_cast<std::size_t>(size);
}

void Stranger::close_half() {
  ::shutdown(socket_.get(), SHUT_WR);
}

const std::string& Stranger::listen() {
  char buffer[4096];
  while (true) {
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size > 0) heard_.append(buffer, static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EAGAIN)) closed_ = true;
    if (size <= 0) return heard_;
  }
}

bool Stranger::is_closed() {
  listen();
  return closed_;
}

std::optional<Message> Stranger::hear() {
  listen();
  reader_.push(std::string_view(heard_).substr(parsed_));
  parsed_ = heard_.size();
  const auto frame = reader_.next();
  EXPECT_TRUE(frame);
  if (!frame || !*frame) return std::nullopt;
  const auto message = parse(**frame);
  EXPECT_TRUE(message);
  return message ? std::optional(*message) : std::nullopt;
}

Join Stranger::join_of(const SessionOptions& options, const Greeting& greeting,
                       const std::string& credential) const {
  Join join;
  join.self = options.self;
  join.session = std::string(kSessionSize, 's');
  join.nonce = std::string(kNonceSize, 'n');
  const std::string transcript = transcript_of(greeting, join, server());
  join.proof = greeting.method == AuthenticationMethod::kKey
                   ? prove_join(real_digests(), options.authentication.key, transcript)
                   : credential;
  return join;
}

CredentialPayload Stranger::credential_payload(const SessionOptions& options,
                                               const Greeting& greeting) const {
  const std::string transcript = transcript_of(greeting, join_of(options, greeting), server());
  return {std::string(kDigestSize, 'k'), server(), sha256(transcript)};
}

Endpoint Stranger::server() const {
  return endpoint_of(*peer_address(socket_.get()));
}

std::optional<Message> await_message(Meeting& meeting, Stranger& stranger) {
  std::optional<Message> message;
  meeting.run_until([&] {
    if (!message) message = stranger.hear();
    return message || stranger.is_closed();
  });
  return message;
}

Dribble::Dribble(Meeting& meeting, Stranger& stranger, std::string bytes, Duration pause)
    : stranger_(stranger),
      bytes_(std::move(bytes)),
      pause_(pause),
      timer_(meeting.loop, [this] { on_time(); }) {
  on_time();
}

void Dribble::on_time() {
  stranger_.say(std::string_view(bytes_).substr(next_, 1));
  next_ = (next_ + 1) % bytes_.size();
  timer_.arm_after(pause_);
}

testing::AssertionResult works(Meeting& meeting) {
  const std::size_t told = meeting.observed.messages.size();
  std::size_t passed = 0;
  std::size_t stored = 0;
  for (const auto& member : meeting.members) {
    member->session->send("a message");
    member->session->set("key", "value", kPatience,
                         [&](Result<void> done) { stored += done.has_value(); });
    member->session->barrier("all", kPatience,
                             [&](Result<void> done) { passed += done.has_value(); });
  }
  const std::size_t all = meeting.members.size();
  meeting.run_until([&] {
    return passed == all && stored == all && meeting.observed.messages.size() == told + all;
  });
  if (passed == all && stored == all && meeting.observed.messages.size() == told + all)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << passed << " passed the barrier, " << stored << " stored, "
                                     << meeting.observed.messages.size() - told << " messages";
}

}  // namespace muster::rendezvous
