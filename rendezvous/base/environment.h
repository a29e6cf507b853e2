// Environment: a copy of a process environment as a value. Pure code gets one as an argument.
//
// Keeps the order of first appearance; a name appears once (the first one given wins, as getenv
// does).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster {

class Environment {
 public:
  Environment() = default;
  Environment(std::initializer_list<std::pair<std::string, std::string>> variables);

  // Copies a null-terminated block such as `environ`. Entries without '=' are dropped.
  static Environment from_block(const char* const* block);

  // The view lives until the next non-const call.
  std::optional<std::string_view> get(std::string_view name) const;
  std::string get_or(std::string_view name, std::string_view otherwise) const;
  bool has(std::string_view name) const { return get(name).has_value(); }

  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);

  const std::vector<std::pair<std::string, std::string>>& variables() const { return variables_; }

  // "NAME=value" strings, for execve.
  std::vector<std::string> to_strings() const;

  bool operator==(const Environment&) const = default;

 private:
  std::vector<std::pair<std::string, std::string>> variables_;
};

}  // namespace muster
