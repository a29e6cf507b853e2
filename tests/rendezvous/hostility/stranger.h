// Stranger: one connection to a server, used as a test likes: silently, slowly, with garbage, or as
// a member would, byte by byte.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/handshake.h"
#include "rendezvous/messages.h"
#include "rendezvous/timer.h"
#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {

Digests real_digests();

class Stranger {
 public:
  // Connected (to 127.0.0.1) when it returns.
  explicit Stranger(std::uint16_t port);

  // As much as the kernel takes now; how much that was.
  std::size_t say(std::string_view bytes);
  // Says nothing more; still listens.
  void close_half();
  // Everything heard so far.
  const std::string& listen();
  bool is_closed();
  // The next whole message, once it has come.
  std::optional<Message> hear();
  // What a genuine member of `options` says after this greeting. With munge it is `credential`
  // around the payload that credential_payload() gives.
  Join join_of(const SessionOptions& options, const Greeting& greeting,
               const std::string& credential = "") const;
  CredentialPayload credential_payload(const SessionOptions& options,
                                       const Greeting& greeting) const;
  // The server's end of the connection.
  Endpoint server() const;

 private:
  Fd socket_;
  std::string heard_;
  FrameReader reader_{kMaxReplyBody};
  std::size_t parsed_ = 0;
  bool closed_ = false;
};

// The next message, as soon as the server has said it.
std::optional<Message> await_message(Meeting& meeting, Stranger& stranger);

// Says one byte of `bytes` every `pause`, again from the start when they are over; as long as it
// lives.
class Dribble {
 public:
  Dribble(Meeting& meeting, Stranger& stranger, std::string bytes, Duration pause);

 private:
  void on_time();

  Stranger& stranger_;
  std::string bytes_;
  Duration pause_;
  std::size_t next_ = 0;
  LoopTimer timer_;
};

// All that members do with a roster, once: a key, a barrier and a message to the coordinator.
::testing::AssertionResult works(Meeting& meeting);

}  // namespace muster::rendezvous
