#include "launcher/health/gpu_report.h"

#include <algorithm>

#include "rendezvous/base/bytes.h"

namespace muster::health {

namespace {

constexpr std::size_t kMaxText = 1024;

void write_lines(ByteWriter& writer, const std::vector<std::string>& lines) {
  writer.u32(static_cast<std::uint32_t>(lines.size()));
  for (const std::string& line : lines) writer.string(std::string_view(line).substr(0, kMaxText));
}

std::vector<std::string> read_lines(ByteReader& reader) {
  std::vector<std::string> lines;
  const std::uint32_t count = reader.count(kMaxGpus);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    lines.emplace_back(reader.string(kMaxText));
  }
  return lines;
}

bool is_uuid_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

}  // namespace

std::string encode(const GpuReport& report) {
  ByteWriter writer;
  write_lines(writer, report.uuids);
  writer.string(std::string_view(report.driver_problem).substr(0, kMaxText));
  write_lines(writer, report.gpu_problems);
  return writer.take();
}

Result<GpuReport> parse_gpu_report(std::string_view bytes) {
  ByteReader reader(bytes);
  GpuReport report;
  report.uuids = read_lines(reader);
  report.driver_problem = reader.string(kMaxText);
  report.gpu_problems = read_lines(reader);
  MUSTER_RETURN_IF_ERROR(reader.finish("answer of the GPU probe"));
  return report;
}

bool is_gpu_uuid(std::string_view text) {
  constexpr std::string_view kPrefix = "GPU-";
  return text.size() > kPrefix.size() && text.starts_with(kPrefix) &&
         std::all_of(text.begin(), text.end(), is_uuid_character);
}

}  // namespace muster::health
