#include "rendezvous/random.h"

#include <sys/random.h>

#include <cstring>

#include "rendezvous/base/check.h"

namespace muster::rendezvous {

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  // Up to 256 bytes getrandom is neither cut short nor interrupted (getrandom(2)).
  MUSTER_CHECK(size <= 256);
  MUSTER_CHECK(::getrandom(bytes.data(), size, 0) == static_cast<ssize_t>(size));
  return bytes;
}

std::uint64_t random_u64() {
  std::uint64_t number = 0;
  std::memcpy(&number, random_bytes(sizeof(number)).data(), sizeof(number));
  return number;
}

}  // namespace muster::rendezvous
