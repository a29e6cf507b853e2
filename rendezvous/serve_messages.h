// What a program says to a `muster-rendezvous serve` of its own: one line of JSON with the options;
// and what it hears: one line of JSON. Parsing and printing only.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "rendezvous/base/result.h"
#include "rendezvous/server.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMaxServeLine = 64u << 20;

// Without the newline. The intervals of progress and suspicion keep their defaults.
std::string to_json(const ServerOptions& options);
Result<ServerOptions> parse_server_options(std::string_view json);

struct Serving {
  std::uint16_t port = 0;
};
using ServeReport = std::variant<Serving, Error>;

std::string to_json(const ServeReport& report);
Result<ServeReport> parse_serve_report(std::string_view json);

// Binary bytes as hexadecimal digits and back.
std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view digits);

}  // namespace muster::rendezvous
