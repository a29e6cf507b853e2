#include "launcher/output/writer_child.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <string>

#include "launcher/output/frames.h"
#include "rendezvous/base/fd.h"

namespace muster::output {
namespace {

struct OpenFile {
  std::string path;
  Fd fd;
  bool told = false;  // an error of this file was told
};

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
    if (!file.fd.is_open()) tell(file, "open", errno);
  }

  void append(std::uint32_t id, std::string_view bytes) {
    const auto found = files_.find(id);
    if (found == files_.end() || !found->second.fd.is_open()) return;
    while (!bytes.empty()) {
      const ssize_t size = ::write(found->second.fd.get(), bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) {
        tell(found->second, "write", errno);
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  void tell(OpenFile& file, const char* what, int error) {
    if (std::exchange(file.told, true)) return;
    const std::string line = system_error(what + (" " + file.path), error).message() + "\n";
    [[maybe_unused]] const ssize_t n = ::write(errors_fd_, line.data(), line.size());
  }

  int errors_fd_;
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
