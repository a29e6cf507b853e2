#include "tests/bench/store/packets.h"

#include "rendezvous/base/bytes.h"

namespace muster::bench {

namespace {

// Of PyTorch 2.2 and later; the old era has no VALIDATE, so its numbers are one less.
constexpr unsigned kValidate = 0;
constexpr unsigned kSet = 1;
constexpr unsigned kGet = 3;
constexpr unsigned kAdd = 4;
constexpr unsigned kWait = 6;
constexpr unsigned kPing = 13;
constexpr std::uint32_t kMagic = 0x3C85F7CE;
constexpr std::size_t kKeyDigits = 8;

std::string number(std::uint64_t value) {
  return ByteWriter().u64(value).take();
}

std::string text(std::string_view bytes) {
  return number(bytes.size()) + std::string(bytes);
}

}  // namespace

char Packets::opcode(unsigned modern) const {
  return static_cast<char>(era_ == Era::k2_2 ? modern : modern - 1);
}

std::string Packets::handshake(std::uint32_t nonce) const {
  if (era_ == Era::k1_13) return "";
  return ByteWriter().u8(kValidate).u32(kMagic).u8(kPing).u32(nonce).take();
}

std::string Packets::add(std::string_view key, std::int64_t delta) const {
  return opcode(kAdd) + text(key) + number(static_cast<std::uint64_t>(delta));
}

std::string Packets::set(std::string_view key, std::string_view value) const {
  return opcode(kSet) + text(key) + text(value);
}

std::string Packets::wait(std::string_view key) const {
  return opcode(kWait) + number(1) + text(key);
}

std::string Packets::set_wait_get(std::string_view key, std::string_view value) const {
  return set(key, value) + wait(key) + opcode(kGet) + text(key);
}

std::size_t Packets::set_wait_get_reply() const {
  return kWaitReply + sizeof(std::uint64_t) + value_bytes_;
}

std::string Packets::script() const {
  std::string script;
  const auto put = [&script](std::size_t request, std::size_t reply) {
    if (!script.empty()) script += ',';
    script += std::to_string(request) + ':' + std::to_string(reply);
  };
  if (era_ == Era::k2_2) put(handshake(0).size(), kHandshakeReply);
  put(add(kInitKey, 1).size(), kAddReply);
  put(add(kBarrierKey, 1).size(), kAddReply);
  put(wait(kBarrierDoneKey).size(), kWaitReply);
  put(set_wait_get(client_key(0), std::string(value_bytes_, 'v')).size(), set_wait_get_reply());
  return script;
}

std::string client_key(std::uint32_t client) {
  const std::string digits = std::to_string(client);
  return "/load/" + std::string(kKeyDigits - digits.size(), '0') + digits;
}

}  // namespace muster::bench
