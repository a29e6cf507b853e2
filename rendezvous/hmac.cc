#include "rendezvous/hmac.h"

#include <sha2.h>

#include <cstdint>

namespace muster::rendezvous {

namespace {

constexpr std::size_t kBlockBytes = SHA256_BLOCK_LENGTH;

void update(SHA2_CTX& context, std::string_view bytes) {
  if (bytes.empty()) return;
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string sha256_of_both(std::string_view first, std::string_view second) {
  SHA2_CTX context;
  SHA256Init(&context);
  update(context, first);
  update(context, second);
  std::string digest(kSha256Bytes, '\0');
  SHA256Final(reinterpret_cast<std::uint8_t*>(digest.data()), &context);
  return digest;
}

std::string padded_key(std::string_view key, char pad) {
  std::string block = key.size() > kBlockBytes ? sha256(key) : std::string(key);
  block.resize(kBlockBytes, '\0');
  for (char& byte : block) byte = static_cast<char>(byte ^ pad);
  return block;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  return sha256_of_both(bytes, {});
}

// RFC 2104.
std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  return sha256_of_both(padded_key(key, 0x5c), sha256_of_both(padded_key(key, 0x36), bytes));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace muster::rendezvous
