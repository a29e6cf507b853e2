#include "rendezvous/base/environment.h"

#include <algorithm>

namespace muster {

namespace {

template <class Variables>
auto find_name(Variables& variables, std::string_view name) {
  return std::find_if(variables.begin(), variables.end(),
                      [name](const auto& variable) { return variable.first == name; });
}

}  // namespace

Environment::Environment(std::initializer_list<std::pair<std::string, std::string>> variables) {
  for (const auto& [name, value] : variables) set(name, value);
}

Environment Environment::from_block(const char* const* block) {
  Environment environment;
  for (; block != nullptr && *block != nullptr; ++block) {
    const std::string_view entry(*block);
    const std::size_t equals = entry.find('=', 1);
    if (entry.empty() || equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    if (!environment.has(name)) {
      environment.variables_.emplace_back(name, entry.substr(equals + 1));
    }
  }
  return environment;
}

std::optional<std::string_view> Environment::get(std::string_view name) const {
  const auto found = find_name(variables_, name);
  if (found == variables_.end()) return std::nullopt;
  return found->second;
}

std::string Environment::get_or(std::string_view name, std::string_view otherwise) const {
  return std::string(get(name).value_or(otherwise));
}

void Environment::set(std::string_view name, std::string_view value) {
  const auto found = find_name(variables_, name);
  if (found == variables_.end()) {
    variables_.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

void Environment::unset(std::string_view name) {
  const auto found = find_name(variables_, name);
  if (found != variables_.end()) variables_.erase(found);
}

std::vector<std::string> Environment::to_strings() const {
  std::vector<std::string> strings;
  strings.reserve(variables_.size());
  for (const auto& [name, value] : variables_) strings.push_back(name + "=" + value);
  return strings;
}

}  // namespace muster
