#include "collectives-bench/fabric/nics.h"

#include <fmt/format.h>

#include <algorithm>

namespace muster::bench::fabric {

bool wants_every_nic(const std::string& wish) {
  return wish == "each" || wish == "all";
}

Result<std::vector<std::size_t>> choose_nics(const std::vector<std::string>& names,
                                             const std::string& wish) {
  std::vector<std::size_t> places;
  std::string known;
  for (std::size_t place = 0; place < names.size(); ++place) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", names[place]);
    if (wants_every_nic(wish) || names[place] == wish) places.push_back(place);
  }
  if (places.empty()) {
    return failure(ErrorCode::kInvalidArgument,
                   fmt::format("--nic {}: there is {}; write a name of these, each or all", wish,
                               known.empty() ? "no device" : known));
  }
  if (places.size() > kMaxNics) {
    return failure(ErrorCode::kLimit,
                   fmt::format("--nic {}: {} devices, at most {}", wish, places.size(), kMaxNics));
  }
  return places;
}

std::vector<LocalAddress> addresses_by_interface(const std::vector<LocalAddress>& addresses,
                                                 bool one_node) {
  std::vector<LocalAddress> chosen;
  for (const LocalAddress& address : addresses) {
    if (is_container_interface(address.interface) || (address.loopback && !one_node)) continue;
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&address](const auto& other) {
      return other.interface == address.interface;
    });
    if (same == chosen.end()) {
      chosen.push_back(address);
    } else if (same->is_v6 && !address.is_v6) {
      *same = address;
    }
  }
  return chosen;
}

std::vector<NicTurn> nic_turns(const std::vector<std::string>& names, const std::string& wish) {
  std::vector<NicTurn> turns;
  if (wish == "each" || names.size() == 1) {
    for (std::size_t place = 0; place < names.size(); ++place) {
      turns.push_back({names[place], {place}});
    }
    return turns;
  }
  NicTurn together{fmt::format("all {}", names.size()), {}};
  for (std::size_t place = 0; place < names.size(); ++place) together.places.push_back(place);
  turns.push_back(std::move(together));
  return turns;
}

}  // namespace muster::bench::fabric
