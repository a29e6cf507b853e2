// An environment from lines NAME=value, as env(1) prints it.
#pragma once

#include <algorithm>
#include <string_view>

#include "rendezvous/base/environment.h"

namespace muster::fuzz {

inline Environment environment_of(std::string_view text) {
  Environment environment;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos)
      environment.set(line.substr(0, equals), line.substr(equals + 1));
  }
  return environment;
}

}  // namespace muster::fuzz
