#include "launcher/agent/interface_addresses.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "rendezvous/sockets.h"

namespace muster::launcher {

namespace {

constexpr std::size_t kMaxAddresses = 64;  // as the facts that carry them

struct InterfaceAddress {
  std::string interface;
  std::string address;
  bool on_loopback = false;  // the interface is one
};

std::string numeric(const sockaddr& address) {
  rendezvous::SocketAddress where;
  where.size = address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(&where.address, &address, where.size);
  return rendezvous::endpoint_of(where).address;
}

// Of interfaces that are up.
std::vector<InterfaceAddress> list_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<InterfaceAddress> addresses;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || (each->ifa_flags & IFF_UP) == 0) continue;
    const int family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    addresses.push_back(
        {each->ifa_name, numeric(*each->ifa_addr), (each->ifa_flags & IFF_LOOPBACK) != 0});
  }
  return addresses;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

}  // namespace

std::vector<std::string> interface_addresses() {
  std::vector<std::string> addresses;
  for (InterfaceAddress& each : list_addresses()) {
    if (each.on_loopback || addresses.size() >= kMaxAddresses) continue;
    if (std::find(addresses.begin(), addresses.end(), each.address) == addresses.end()) {
      addresses.push_back(std::move(each.address));
    }
  }
  return addresses;
}

Status check_interface(const std::string& name) {
  bool is_here = false;
  std::vector<std::string> others;
  for (const InterfaceAddress& each : list_addresses()) {
    is_here |= each.interface == name;
    if (is_loopback(each.address)) continue;
    if (each.interface == name) return {};
    if (std::find(others.begin(), others.end(), each.interface) == others.end()) {
      others.push_back(each.interface);
    }
  }
  if (!is_here) return {};
  std::string names;
  for (const std::string& other : others) names += (names.empty() ? "" : ", ") + other;
  return failure(ErrorCode::kInvalidArgument,
                 "--interface=" + name + ": it has loopback addresses only, which no other node " +
                     "can reach; expected " + (names.empty() ? "another one" : "one of " + names) +
                     ", or leave --interface out");
}

}  // namespace muster::launcher
