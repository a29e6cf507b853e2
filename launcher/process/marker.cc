#include "launcher/process/marker.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>

namespace muster::process {

std::string make_marker() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits) bits = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return std::string(host.data()) + "-" + std::to_string(::getpid()) + "-" + std::to_string(now) +
         "-" + std::to_string(bits);
}

std::string beside_marker(std::string_view marker) {
  return std::string(marker) + "-beside";
}

}  // namespace muster::process
