#include "launcher/process/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "launcher/process/marker.h"
#include "rendezvous/base/fd.h"

namespace muster::process {
namespace {

std::string read_all(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file.is_open()) return text;
  std::array<char, 4096> buffer;
  ssize_t size = 0;
  while ((size = ::read(file.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

template <class Number>
bool take_number(std::string_view& rest, Number& value) {
  const std::size_t start = rest.find_first_not_of(" \n");
  if (start == std::string_view::npos) return false;
  rest.remove_prefix(start);
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (parsed.ec != std::errc()) return false;
  rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
  return true;
}

std::string path_of(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

// Linux built without CONFIG_PROC_CHILDREN has no `children` file.
std::vector<ProcessRecord> children_by_scan() {
  std::vector<ProcessRecord> children;
  for (const ProcessRecord& record : own_processes())
    if (record.parent == ::getpid()) children.push_back(record);
  return children;
}

}  // namespace

std::optional<ProcessRecord> parse_stat(std::string_view text) {
  ProcessRecord record;
  if (!take_number(text, record.pid)) return std::nullopt;
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  record.state = text[name_end + 2];
  text.remove_prefix(name_end + 3);
  if (!take_number(text, record.parent) || !take_number(text, record.group) ||
      !take_number(text, record.session))
    return std::nullopt;
  return record;
}

std::optional<ProcessRecord> read_process(pid_t pid) {
  return parse_stat(read_all(path_of(pid, "stat")));
}

std::vector<ProcessRecord> own_processes() {
  std::vector<ProcessRecord> records;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  if (proc == nullptr) return records;
  const uid_t user = ::geteuid();
  while (const dirent* entry = ::readdir(proc.get())) {
    std::string_view name(entry->d_name);
    pid_t pid = 0;
    if (!take_number(name, pid) || !name.empty()) continue;
    struct stat status {};
    if (::fstatat(::dirfd(proc.get()), entry->d_name, &status, 0) != 0 || status.st_uid != user)
      continue;
    if (const auto record = read_process(pid)) records.push_back(*record);
  }
  return records;
}

std::vector<ProcessRecord> own_children() {
  const std::string path = path_of(::getpid(), "task/") + std::to_string(::getpid()) + "/children";
  if (::access(path.c_str(), R_OK) != 0) return children_by_scan();
  const std::string text = read_all(path);
  std::string_view rest(text);
  std::vector<ProcessRecord> children;
  pid_t pid = 0;
  while (take_number(rest, pid))
    if (const auto record = read_process(pid)) children.push_back(*record);
  return children;
}

bool carries_marker(pid_t pid, std::string_view marker) {
  std::string wanted(1, '\0');
  wanted.append(kMarkerVariable).append("=").append(marker).push_back('\0');
  const std::string block = std::string(1, '\0') + read_all(path_of(pid, "environ"));
  return block.find(wanted) != std::string::npos;
}

}  // namespace muster::process
