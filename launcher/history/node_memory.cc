#include "launcher/history/node_memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "launcher/health/child_question.h"
#include "rendezvous/base/fd.h"

namespace muster::history {

namespace {

constexpr mode_t kMode = 0664;
constexpr Duration kFirstPause{2};
constexpr Duration kLongestPause{100};
// How a child's answer begins.
constexpr char kDone = '+';
constexpr char kFailed = '-';

// O_NONBLOCK: a FIFO in its place is told, not waited for.
Result<Fd> open_regular(const std::string& path, int flags) {
  Fd file(::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC, kMode));
  if (!file.is_open() && errno == ENOENT) {
    return failure(ErrorCode::kNotFound, "there is no such file or folder");
  }
  if (!file.is_open()) return failure(system_error("open", errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failure(system_error("look at it", errno));
  if (!S_ISREG(status.st_mode)) {
    return failure(ErrorCode::kInvalidArgument, "is no regular file; name a file");
  }
  return file;
}

// Of a file that is still missing: it is made when there is something to write, its folder is not.
Status check_folder(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return failure(ErrorCode::kNotFound,
                 "folder " + folder + ": " + std::strerror(errno) +
                     "; expected a file in a folder that is there and can be written");
}

bool has_no_locks(int error) {
  return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP;
}

Status lock(const Fd& file, Duration limit) {
  const TimePoint end = Clock::now() + limit;
  for (Duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0 || has_no_locks(errno)) return {};
    if (errno != EWOULDBLOCK && errno != EINTR) return failure(system_error("lock it", errno));
    if (Clock::now() + pause > end) {
      return failure(ErrorCode::kTimeout, "another program holds its lock since " +
                                              std::to_string(limit.count()) + " ms");
    }
    std::this_thread::sleep_for(pause);
  }
}

// A writer that died, or a full disk, left half a line.
bool ends_within_a_line(const Fd& file) {
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(file.get(), &last, 1, size - 1) == 1 && last != '\n';
}

Status write_at_once(const Fd& file, const std::string& bytes) {
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written < 0) return failure(system_error("write", errno));
  if (static_cast<std::size_t>(written) == bytes.size()) return {};
  return failure(ErrorCode::kSystem, "only a part of a line could be written (is the disk full?)");
}

// Runs `body` in a child; its result crosses the pipe behind one byte that says which it is.
template <class Body>
Result<std::string> ask_child(const std::string& path, const char* name, const Body& body,
                              Duration limit) {
  Result<std::string> answer = health::ChildQuestion::ask_and_wait(
      name,
      [&body]() {
        const Result<std::string> result = body();
        return result ? kDone + *result : kFailed + result.error().message();
      },
      limit);
  if (!answer) return failure(answer.error().within(path));
  if (!answer->empty() && answer->front() == kDone) return answer->substr(1);
  return failure(ErrorCode::kSystem, path + ": " + (answer->empty() ? "" : answer->substr(1)));
}

}  // namespace

Result<std::string> read_tail(const std::string& path) {
  const Result<Fd> file = open_regular(path, O_RDONLY);
  if (!file && file.error().code() == ErrorCode::kNotFound) {
    MUSTER_RETURN_IF_ERROR(check_folder(path));
    return std::string();
  }
  if (!file) return failure(file.error());
  const off_t size = std::max<off_t>(::lseek(file->get(), 0, SEEK_END), 0);
  const off_t begin = std::max<off_t>(size - static_cast<off_t>(kMaxTail), 0);
  std::string text(static_cast<std::size_t>(size - begin), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::pread(file->get(), text.data() + filled, text.size() - filled,
                                begin + static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(system_error("read", errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  // The first line of a tail is the end of one.
  if (begin > 0) text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  return text;
}

Status append_lines(const std::string& path, const std::vector<std::string>& lines,
                    Duration lock_limit) {
  MUSTER_TRY(file, open_regular(path, O_RDWR | O_APPEND | O_CREAT));
  MUSTER_RETURN_IF_ERROR(lock(file, lock_limit));
  const bool is_torn = ends_within_a_line(file);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    MUSTER_RETURN_IF_ERROR(write_at_once(file, (is_torn && i == 0 ? "\n" : "") + lines[i] + '\n'));
  }
  return {};
}

Result<Records> recall(const std::string& path, Duration limit) {
  MUSTER_TRY(text, ask_child(
                       path, "muster-memory", [&path]() { return read_tail(path); }, limit));
  return parse_records(text);
}

Status remember(const std::string& path, const std::vector<Record>& records, Duration limit) {
  std::vector<std::string> lines;
  for (const Record& record : records) lines.push_back(print_record(record));
  const auto append = [&path, &lines]() -> Result<std::string> {
    MUSTER_RETURN_IF_ERROR(append_lines(path, lines));
    return std::string();
  };
  MUSTER_RETURN_IF_ERROR(ask_child(path, "muster-memory", append, limit));
  return {};
}

}  // namespace muster::history
