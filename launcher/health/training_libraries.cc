#include "launcher/health/training_libraries.h"

#include <algorithm>

namespace muster::health {

namespace {

constexpr std::string_view kGpuDevices = "/dev/nvidia";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Five fields, blanks, then the path. It begins at the first '/', which no field before it holds.
std::string_view path_in(std::string_view line) {
  const std::size_t slash = line.find('/');
  return slash == std::string_view::npos ? std::string_view() : line.substr(slash);
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "libnccl" and "libnccl.so.2.20.5 (deleted)", but not "libnccl-net.so".
bool is_library(std::string_view path, std::string_view name) {
  std::string_view rest = file_name(path);
  if (!rest.starts_with(name)) return false;
  rest.remove_prefix(name.size());
  return rest.starts_with(".so");
}

bool is_plugin(std::string_view path) {
  const std::string_view name = file_name(path);
  return name.starts_with("libnccl-net") && name.find(".so") != std::string_view::npos;
}

bool is_wanted(std::string_view path) {
  return is_library(path, "libnccl") || is_plugin(path) || is_library(path, "libfabric") ||
         path.starts_with(kGpuDevices);
}

bool is_printable(std::string_view path) {
  return std::none_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string join(const std::set<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) all += (all.empty() ? "" : " and ") + path;
  return all;
}

std::string describe_difference(const TrainingLibraries& libraries, const CheckedLibrary& checked) {
  if (checked.path.empty() || libraries.nccl.contains(checked.path)) return "";
  return "; the check measured with another, " + checked.name + " of " + checked.path +
         ": MUSTER_NCCL_LIBRARY=" + *libraries.nccl.begin() + " checks with this one";
}

}  // namespace

std::string select_mapped_files(std::string_view maps) {
  std::set<std::string_view> files;
  while (!maps.empty()) {
    const std::string_view path = path_in(take_line(maps));
    if (is_wanted(path) && is_printable(path)) files.insert(path);
  }
  std::string lines;
  for (const std::string_view file : files) lines.append(file).push_back('\n');
  return lines;
}

TrainingLibraries read_libraries(std::string_view files) {
  TrainingLibraries found;
  while (!files.empty()) {
    const std::string path(take_line(files));
    if (is_library(path, "libnccl")) found.nccl.insert(path);
    if (is_plugin(path)) found.plugins.insert(path);
    if (is_library(path, "libfabric")) found.libfabric.insert(path);
    found.uses_gpu |= path.starts_with(kGpuDevices);
  }
  return found;
}

std::optional<std::string> describe(const TrainingLibraries& libraries, bool is_last_look,
                                    const CheckedLibrary& checked) {
  if (libraries.nccl.empty()) return std::nullopt;
  std::string line = "training uses NCCL " + join(libraries.nccl);
  if (libraries.plugins.empty()) {
    if (!is_last_look || !libraries.uses_gpu) return std::nullopt;
    return line + ", no network plug-in: NCCL's own transports" +
           describe_difference(libraries, checked);
  }
  line += ", network plug-in " + join(libraries.plugins);
  if (!libraries.libfabric.empty()) line += ", libfabric " + join(libraries.libfabric);
  return line + describe_difference(libraries, checked);
}

}  // namespace muster::health
