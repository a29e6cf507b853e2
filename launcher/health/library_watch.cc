#include "launcher/health/library_watch.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "launcher/health/child_question.h"
#include "launcher/process/process_table.h"
#include "rendezvous/base/asio.h"

namespace muster::health {

namespace {

constexpr std::size_t kMostProcesses = 64;  // data loaders by the hundred show nothing new

std::string read_maps(pid_t pid) {
  const std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Parents before children, the worker first.
std::vector<pid_t> family_of(pid_t worker) {
  const std::vector<process::ProcessRecord> records = process::own_processes();
  std::vector<pid_t> family{worker};
  for (std::size_t i = 0; i < family.size() && family.size() < kMostProcesses; ++i) {
    for (const process::ProcessRecord& record : records) {
      if (record.parent == family[i] && !record.is_zombie()) family.push_back(record.pid);
    }
  }
  family.resize(std::min(family.size(), kMostProcesses));
  return family;
}

}  // namespace

std::string list_mapped_files(pid_t worker) {
  std::string files;
  for (const pid_t pid : family_of(worker)) files += select_mapped_files(read_maps(pid));
  return files;
}

class LibraryWatch::Body : public std::enable_shared_from_this<LibraryWatch::Body> {
 public:
  Body(asio::io_context& loop, pid_t worker, LibraryWatchOptions options, Report report)
      : loop_(loop),
        timer_(loop),
        start_(Clock::now()),
        worker_(worker),
        options_(std::move(options)),
        report_(std::move(report)) {}

  void start_timer() {
    if (next_look_ == options_.looks.size()) return;
    timer_.expires_at(start_ + options_.looks[next_look_]);
    timer_.async_wait([self = shared_from_this()](auto error) { self->on_timer(error); });
  }

  void stop() {
    report_ = nullptr;
    timer_.cancel();
    question_.reset();
  }

 private:
  void on_timer(const boost::system::error_code& error) {
    if (error || !report_) return;
    question_.emplace(
        loop_, "muster-maps", [this]() { return list_mapped_files(worker_); }, options_.limit,
        [this](const Result<std::string>& files) { on_files(files); });
  }

  void on_files(const Result<std::string>& files) {
    ++next_look_;
    const bool is_last = next_look_ == options_.looks.size();
    const auto line = files ? describe(read_libraries(*files), is_last, options_.checked)
                            : std::optional<std::string>();
    if (!line) return start_timer();
    const Report report = std::exchange(report_, nullptr);
    report(*line);
  }

  asio::io_context& loop_;
  asio::steady_timer timer_;
  TimePoint start_;
  pid_t worker_;
  LibraryWatchOptions options_;
  Report report_;
  std::optional<ChildQuestion> question_;
  std::size_t next_look_ = 0;
};

LibraryWatch::LibraryWatch(asio::io_context& loop, pid_t worker, LibraryWatchOptions options,
                           Report report)
    : body_(std::make_shared<Body>(loop, worker, std::move(options), std::move(report))) {
  body_->start_timer();
}

LibraryWatch::~LibraryWatch() {
  body_->stop();
}

}  // namespace muster::health
