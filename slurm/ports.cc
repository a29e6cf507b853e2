#include "slurm/ports.h"

#include <limits>

#include "slurm/scanner.h"

namespace muster::slurm {

namespace {

Result<std::uint64_t> read_port(Scanner& scanner, std::uint64_t lowest) {
  const std::size_t begin = scanner.position();
  MUSTER_TRY(port, scanner.number("a port", std::numeric_limits<std::uint16_t>::max()));
  if (port < lowest) {
    return failure(scanner.expected_at(begin, "a port from " + std::to_string(lowest)));
  }
  return port;
}

}  // namespace

Result<std::vector<std::uint16_t>> expand_ports(std::string_view text) {
  std::vector<std::uint16_t> ports;
  if (text.empty()) return ports;
  Scanner scanner("ports", text);
  do {
    const std::size_t begin = scanner.position();
    MUSTER_TRY(low, read_port(scanner, 1));
    std::uint64_t high = low;
    if (scanner.accept('-')) {
      MUSTER_TRY(end, read_port(scanner, low));
      high = end;
    }
    if (ports.size() + (high - low + 1) > kMaxPorts) {
      return failure(
          scanner.beyond_limit(begin, "more than " + std::to_string(kMaxPorts) + " ports"));
    }
    for (std::uint64_t port = low; port <= high; ++port) {
      ports.push_back(static_cast<std::uint16_t>(port));
    }
  } while (scanner.accept(','));
  if (!scanner.at_end()) return failure(scanner.expected("'-', ',' or the end"));
  return ports;
}

}  // namespace muster::slurm
