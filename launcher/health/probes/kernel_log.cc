#include "launcher/health/probes/kernel_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace muster::health {

namespace {

constexpr std::string_view kMark = "NVRM: Xid (";

// AWS's classes ISOLATE, REBOOT and RESET: the GPU is of no use before one of these.
constexpr std::array<std::uint64_t, 18> kFatal = {48,  54,  64,  74,  79,  95,  109, 110, 119,
                                                  120, 136, 140, 143, 151, 155, 156, 158, 168};
// AWS's class MONITOR, less 13, 31 and 43: those are mostly faults of the program that ran.
constexpr std::array<std::uint64_t, 17> kSuspicious = {63,  92,  94,  121, 126, 144, 145, 146, 147,
                                                       148, 149, 150, 154, 157, 162, 163, 164};

std::optional<std::uint64_t> number_at(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

bool is_bus_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.';
}

// The third of the fields before ';'.
std::optional<std::uint64_t> stamp_of(std::string_view line) {
  for (int comma = 0; comma < 2; ++comma) {
    const std::size_t place = line.find(',');
    if (place == std::string_view::npos) return std::nullopt;
    line.remove_prefix(place + 1);
  }
  return number_at(line);
}

std::optional<XidEvent> read_line(std::string_view line, std::uint64_t uptime_us) {
  const std::size_t mark = line.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(mark + kMark.size());
  if (rest.starts_with("PCI:")) rest.remove_prefix(4);
  const std::size_t close = rest.find("): ");
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view bus = rest.substr(0, close);
  const auto code = number_at(rest.substr(close + 3));
  if (!code || bus.size() > 16 || !std::all_of(bus.begin(), bus.end(), is_bus_character)) {
    return std::nullopt;
  }
  const std::uint64_t stamp = std::min(stamp_of(line).value_or(uptime_us), uptime_us);
  XidEvent event{std::string(bus), *code, (uptime_us - stamp) / 1'000'000};
  std::transform(event.bus_id.begin(), event.bus_id.end(), event.bus_id.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return event;
}

}  // namespace

std::vector<XidEvent> find_xids(std::string_view log, std::uint64_t uptime_us) {
  std::vector<XidEvent> events;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    if (auto event = read_line(log.substr(0, end), uptime_us)) events.push_back(std::move(*event));
    if (end == std::string_view::npos) break;
    log.remove_prefix(end + 1);
  }
  if (events.size() > kMaxFactItems) {
    events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kMaxFactItems));
  }
  return events;
}

XidClass classify_xid(std::uint64_t code) {
  if (std::find(kFatal.begin(), kFatal.end(), code) != kFatal.end()) return XidClass::kFatal;
  if (std::find(kSuspicious.begin(), kSuspicious.end(), code) != kSuspicious.end()) {
    return XidClass::kSuspicious;
  }
  return XidClass::kHarmless;
}

}  // namespace muster::health
