// The packets that the load generator sends, in PyTorch's store protocol of either era, and how
// many bytes come back for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::bench {

// The numbers of the operations: k1_13 for PyTorch 1.11 to 2.0, k2_2 for 2.2 and later.
enum class Era { k1_13, k2_2 };

class Packets {
 public:
  Packets(Era era, std::size_t value_bytes) : era_(era), value_bytes_(value_bytes) {}

  // VALIDATE and PING in one packet; empty in the old era, which has no handshake.
  std::string handshake(std::uint32_t nonce) const;
  static constexpr std::size_t kHandshakeReply = 4;

  std::string add(std::string_view key, std::int64_t delta) const;
  static constexpr std::size_t kAddReply = 8;

  std::string set(std::string_view key, std::string_view value) const;  // no reply

  std::string wait(std::string_view key) const;
  static constexpr std::size_t kWaitReply = 1;

  std::string set_wait_get(std::string_view key, std::string_view value) const;
  std::size_t set_wait_get_reply() const;

  // What one client sends and receives in the order of its life, "10:4,23:8,...,400:137": bytes of
  // a request, bytes of its reply; the last one is repeated. For the echo server.
  std::string script() const;

  std::size_t value_bytes() const { return value_bytes_; }

 private:
  char opcode(unsigned modern) const;

  Era era_;
  std::size_t value_bytes_;
};

inline constexpr std::string_view kInitKey = "init/";
inline constexpr std::string_view kBarrierKey = "/barrier";
inline constexpr std::string_view kBarrierDoneKey = "/barrier:done";

// Of one length for every client.
std::string client_key(std::uint32_t client);

}  // namespace muster::bench
