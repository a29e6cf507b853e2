#include "tests/rendezvous/core/fake_digests.h"

#include <cstdint>

namespace muster::rendezvous {

namespace {

std::string fake_sha256(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  std::string digest;
  for (std::size_t i = 0; i < kDigestSize; ++i) {
    hash = (hash ^ (hash >> 29)) * 0x9e3779b97f4a7c15u;
    digest.push_back(static_cast<char>(hash >> 56));
  }
  return digest;
}

std::string fake_hmac(std::string_view key, std::string_view bytes) {
  return fake_sha256(std::string(key) + "|" + std::string(bytes));
}

bool are_equal(std::string_view a, std::string_view b) {
  return a == b;
}

}  // namespace

Digests fake_digests() {
  return {&fake_hmac, &fake_sha256, &are_equal};
}

}  // namespace muster::rendezvous
