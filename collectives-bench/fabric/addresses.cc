#include "collectives-bench/fabric/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

namespace muster::bench::fabric {

namespace {

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

std::optional<LocalAddress> numeric_address(const ifaddrs& entry) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  const int family = entry.ifa_addr->sa_family;
  if (family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(entry.ifa_addr)->sin_addr;
  } else if (family == AF_INET6) {
    const auto* address = reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr);
    if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) return std::nullopt;
    bytes = &address->sin6_addr;
  }
  if (bytes == nullptr || ::inet_ntop(family, bytes, text.data(), text.size()) == nullptr) {
    return std::nullopt;
  }
  return LocalAddress{entry.ifa_name, text.data(), (entry.ifa_flags & IFF_LOOPBACK) != 0,
                      family == AF_INET6};
}

std::string list_text(const std::vector<LocalAddress>& addresses) {
  std::string text;
  for (const LocalAddress& address : addresses) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", address.interface, address.address);
  }
  return text.empty() ? "none" : text;
}

bool is_loopback(const LocalAddress& address) {
  return address.address.starts_with("127.") || address.address == "::1";
}

template <class Predicate>
const LocalAddress* find_v4_first(const std::vector<LocalAddress>& addresses, Predicate fits) {
  const LocalAddress* v6 = nullptr;
  for (const LocalAddress& address : addresses) {
    if (!fits(address)) continue;
    if (!address.is_v6) return &address;
    if (v6 == nullptr) v6 = &address;
  }
  return v6;
}

Result<LocalAddress> choose_of_interface(const std::vector<LocalAddress>& addresses,
                                         const AddressWish& wish) {
  const auto is_named = [&wish](const auto& one) { return one.interface == wish.interface; };
  const auto* found = find_v4_first(addresses, [&](const auto& address) {
    return is_named(address) && (wish.one_node || !is_loopback(address));
  });
  if (found != nullptr) return *found;
  const bool is_here = std::any_of(addresses.begin(), addresses.end(), is_named);
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("--interface {}: it has {}; there are {}", wish.interface,
                             is_here ? "loopback addresses only, which no other node can reach"
                                     : "no address or is down",
                             list_text(addresses)));
}

}  // namespace

Result<std::vector<LocalAddress>> list_addresses() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return failure(system_error("getifaddrs", errno));
  const std::unique_ptr<ifaddrs, FreeInterfaces> list(raw);
  std::vector<LocalAddress> addresses;
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    if (auto address = numeric_address(*entry)) addresses.push_back(std::move(*address));
  }
  return addresses;
}

bool is_container_interface(const std::string& name) {
  static constexpr std::array kPrefixes = {"docker", "veth",    "br-",    "virbr", "cni",
                                           "cali",   "flannel", "podman", "lxc"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&name](const char* prefix) { return name.starts_with(prefix); });
}

Result<LocalAddress> choose_address(const std::vector<LocalAddress>& addresses,
                                    const AddressWish& wish) {
  if (!wish.interface.empty()) return choose_of_interface(addresses, wish);
  const LocalAddress* found = nullptr;
  if (wish.one_node) {
    found = find_v4_first(addresses, [](const auto& address) { return address.loopback; });
  }
  if (found == nullptr && !wish.preferred.empty()) {
    found = find_v4_first(addresses, [&wish](const auto& address) {
      return !address.loopback && address.address == wish.preferred;
    });
  }
  if (found == nullptr) {
    found = find_v4_first(addresses, [](const auto& address) {
      return !address.loopback && !is_container_interface(address.interface);
    });
  }
  if (found != nullptr) return *found;
  return failure(ErrorCode::kUnsupported,
                 fmt::format("no address that other nodes can reach: there are {}; name an "
                             "interface with --interface",
                             list_text(addresses)));
}

std::string network_identity() {
  utsname name{};
  ::uname(&name);
  struct stat space {};
  const bool known = ::stat("/proc/self/ns/net", &space) == 0;
  return fmt::format("{}/{}", name.nodename, known ? space.st_ino : 0);
}

}  // namespace muster::bench::fabric
