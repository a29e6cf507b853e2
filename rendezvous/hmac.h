// SHA-256 and HMAC-SHA-256 over binary strings: what proofs of identity are made of. Pure.
#pragma once

#include <string>
#include <string_view>

namespace muster::rendezvous {

inline constexpr std::size_t kSha256Bytes = 32;

// kSha256Bytes raw bytes, not hex.
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Takes the same time wherever the first difference stands. The length is no secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace muster::rendezvous
