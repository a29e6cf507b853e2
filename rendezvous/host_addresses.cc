#include "rendezvous/host_addresses.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "rendezvous/sockets.h"

namespace muster::rendezvous {

namespace {

template <class Item>
void append_if_new(std::vector<Item>& items, Item item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(std::move(item));
}

socklen_t size_of(const sockaddr& address) {
  return address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::string numeric(const sockaddr& address) {
  SocketAddress where;
  where.size = size_of(address);
  std::memcpy(&where.address, &address, where.size);
  return address_of(where);
}

std::vector<std::string> own_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<std::string> addresses;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const int family = each->ifa_addr->sa_family;
    if (family == AF_INET || family == AF_INET6) addresses.push_back(numeric(*each->ifa_addr));
  }
  return addresses;
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

HostAddresses look_up(const std::string& host, const std::vector<std::string>& own) {
  HostAddresses result{host, {}, {}};
  addrinfo wish{};
  wish.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &wish, &list);
  if (error != 0) {
    result.error = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    return result;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (result.addresses.size() >= kMaxAddressesPerHost) break;
    HostAddress found{numeric(*each->ai_addr), AddressKind::kElsewhere};
    if (is_loopback(*each->ai_addr)) {
      found.kind = AddressKind::kLoopback;
    } else if (std::find(own.begin(), own.end(), found.address) != own.end()) {
      found.kind = AddressKind::kOurs;
    }
    append_if_new(result.addresses, std::move(found));
  }
  return result;
}

}  // namespace

LookedUpHosts look_up_hosts(const LookUpHosts& call) {
  const std::vector<std::string> own = own_addresses();
  LookedUpHosts result;
  for (const std::string& host : call.hosts) result.hosts.push_back(look_up(host, own));
  return result;
}

UsableAddresses usable_addresses(const LookedUpHosts& found, bool host_is_here) {
  UsableAddresses usable;
  for (const HostAddresses& host : found.hosts) {
    if (!host.error.empty()) usable.remarks.push_back(host.host + ": " + host.error);
    for (const HostAddress& each : host.addresses) {
      if (each.kind == AddressKind::kElsewhere || host_is_here) {
        append_if_new(usable.addresses, each.address);
      } else {
        const bool loopback = each.kind == AddressKind::kLoopback;
        usable.remarks.push_back(host.host + ": ignoring " + each.address +
                                 (loopback ? ", a loopback address (see /etc/hosts)"
                                           : ", an address of this node itself"));
      }
    }
  }
  return usable;
}

}  // namespace muster::rendezvous
