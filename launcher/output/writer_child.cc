#include "launcher/output/writer_child.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "launcher/output/frames.h"
#include "rendezvous/base/fd.h"

namespace muster::output {
namespace {

struct OpenFile {
  std::string path;
  Fd fd;
  bool told = false;                   // an error of this file was told
  std::optional<std::size_t> aside{};  // of a file for lines put aside: how many it holds
};

// What lines put aside may take of the bytes that are free, over all files of this agent; asked
// again whenever so much more has been written.
constexpr std::size_t kShareOfFree = 8;
constexpr std::size_t kAskEvery = 1024 * 1024;

void make_directories_above(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0777);  // the open tells what went wrong
}

class WriterChild {
 public:
  explicit WriterChild(int errors_fd) : errors_fd_(errors_fd) {}

  void obey(const Frame& frame) {
    switch (frame.kind) {
      case FrameKind::kOpen:
        open_file(frame.file, std::string(frame.body));
        break;
      case FrameKind::kMake:
        make_file(frame.file, std::string(frame.body));
        break;
      case FrameKind::kAdopt:
        files_[frame.file] = {"output", Fd(std::stoi(std::string(frame.body))), false};
        break;
      case FrameKind::kData:
        append(frame.file, frame.body);
        break;
      case FrameKind::kClose:
        files_.erase(frame.file);
        break;
    }
  }

 private:
  void open_file(std::uint32_t id, const std::string& path) {
    make_directories_above(path);
    OpenFile& file = files_[id];
    file.path = path;
    file.fd.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file.fd.is_open()) tell(id, file, system_error("open " + path, errno).message());
  }

  void make_file(std::uint32_t id, const std::string& path) {
    OpenFile& file = files_[id];
    file.path = path;
    file.aside = 0;
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file.fd.reset(::open(path.c_str(), kFlags, 0600));
    if (!file.fd.is_open()) tell(id, file, system_error("make " + path, errno).message());
  }

  void append(std::uint32_t id, std::string_view bytes) {
    const auto found = files_.find(id);
    if (found == files_.end() || !found->second.fd.is_open()) return;
    OpenFile& file = found->second;
    if (file.aside && !leaves_enough_free(file.fd, bytes.size())) {
      give_up(id, file, "write " + file.path + ": too little is free there");
      return;
    }
    while (!bytes.empty()) {
      const ssize_t size = ::write(file.fd.get(), bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) {
        give_up(id, file, system_error("write " + file.path, errno).message());
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    if (file.aside) ++*file.aside;
  }

  // A log may be writable again later; of lines put aside none follows a gap.
  void give_up(std::uint32_t id, OpenFile& file, const std::string& why) {
    tell(id, file, why);
    if (!file.aside) return;
    if (*file.aside == 0) ::unlink(file.path.c_str());
    file.fd.reset();
  }

  bool leaves_enough_free(const Fd& fd, std::size_t size) {
    put_aside_ += size;
    if (put_aside_ <= allowed_) return true;
    struct statvfs system {};
    if (::fstatvfs(fd.get(), &system) != 0) return false;
    if (put_aside_ + kAskEvery > system.f_bavail * system.f_frsize / kShareOfFree) return false;
    allowed_ = put_aside_ + kAskEvery;
    return true;
  }

  void tell(std::uint32_t id, OpenFile& file, const std::string& why) {
    if (std::exchange(file.told, true)) return;
    std::string line = why + "\n";
    if (file.aside) line = std::to_string(id) + " " + std::to_string(*file.aside) + " " + line;
    [[maybe_unused]] const ssize_t n = ::write(errors_fd_, line.data(), line.size());
  }

  int errors_fd_;
  std::size_t put_aside_ = 0;  // bytes
  std::size_t allowed_ = 0;    // of them without asking again
  std::map<std::uint32_t, OpenFile> files_;
};

}  // namespace

int run_writer_child(int frames_fd, int errors_fd) {
  WriterChild child(errors_fd);
  FrameParser parser;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = ::read(frames_fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return parser.waiting() == 0 ? 0 : 1;
    parser.feed({buffer.data(), static_cast<std::size_t>(size)});
    while (true) {
      const auto frame = parser.next();
      if (!frame) return 1;
      if (!frame->has_value()) break;
      child.obey(**frame);
    }
  }
}

}  // namespace muster::output
