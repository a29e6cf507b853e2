#include "launcher/output/carrier.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "launcher/output/file_writer.h"
#include "launcher/output/outlet.h"
#include "launcher/output/source.h"
#include "rendezvous/base/asio.h"

namespace muster::output {
namespace {

using boost::system::error_code;
using Watched = asio::posix::stream_descriptor;

constexpr std::size_t kRead = 64 * 1024;
constexpr std::size_t kFileLine = 16 * 1024;  // limit of a console line when stdout is a file
constexpr Duration kStallLook{100};
constexpr Duration kDrainLook{20};

bool same_file(int left, int right) {
  struct stat a {};
  struct stat b {};
  return ::fstat(left, &a) == 0 && ::fstat(right, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// A console: stdout or stderr of ours.
struct Console {
  std::unique_ptr<Outlet> outlet;  // null: through the writer
  std::optional<FileId> file;
  Target own_target;
  Target* target = nullptr;
  std::size_t line_limit = kSlurmWrite;
};

struct Reader {
  Reader(asio::io_context& io, Fd fd, Source the_source)
      : pipe(io, fd.release()), source(std::move(the_source)) {}

  Watched pipe;
  Source source;
  bool paused = false;
};

}  // namespace

struct OutputCarrier::State : std::enable_shared_from_this<OutputCarrier::State> {
  State(asio::io_context& the_io, OutputOptions the_options)
      : io(the_io),
        options(std::move(the_options)),
        idle_timer(io),
        stall_timer(io),
        drain_timer(io) {}

  Status set_up(std::function<void(const std::string&)> on_error);
  void set_up_console(Console& console, int fd);
  Result<process::GangOutput::Ends> open(LocalRank local_rank);
  Result<Fd> open_stream(const WorkerFields& worker, Stream stream);
  Source make_source(const WorkerFields& worker, Stream stream);

  void wait_for(Reader& reader);
  void on_readable(Reader& reader, const error_code& error);
  bool read_once(Reader& reader);
  void end_of(Reader& reader);
  void resume();

  void arm_idle_timer(const Reader& reader);
  void on_idle(const error_code& error);
  void arm_stall_timer();
  void on_stall(const error_code& error);
  void on_low(Target& target);

  void drain(std::function<void()> done);
  void arm_drain_timer();
  void nudge_drain();
  void on_drain_timer(const error_code& error);
  bool pipes_are_done(TimePoint now);
  void force_end();
  bool outlets_are_empty() const;
  void finish(std::function<void()> done);
  void finish_logs(std::function<void()> done);
  bool print(std::string_view line);
  void stop();

  std::vector<Target*> targets();

  asio::io_context& io;
  OutputOptions options;
  std::unique_ptr<FileWriter> writer;
  Target writer_target;
  Console out;
  Console err;
  Attempt attempt{};
  std::vector<WorkerFields> workers;
  std::vector<std::unique_ptr<Reader>> readers;  // pinned: handlers refer to them
  std::vector<std::unique_ptr<Reader>> retired;  // of attempts before, until the next drain's end
  asio::steady_timer idle_timer;
  asio::steady_timer stall_timer;
  asio::steady_timer drain_timer;
  std::optional<Spill> spill;
  bool idle_armed = false;
  bool stall_armed = false;
  bool stopped = false;
  std::function<void()> drained;
  TimePoint drain_start{};
  TimePoint flush_start{};
  TimePoint last_read{};
  std::array<char, kRead> buffer{};
};

Status OutputCarrier::State::set_up(std::function<void(const std::string&)> on_error) {
  const auto writes_file = [](const auto& entry) { return entry.second.file; };
  const bool files =
      options.route.file || std::any_of(options.routes.begin(), options.routes.end(), writes_file);
  if (files && options.directory.empty())
    return failure(ErrorCode::kInvalidArgument,
                   "output goes to files, but no directory is given (--log-dir DIR)");
  std::vector<int> inherited;
  for (const int fd : {options.out_fd, options.err_fd})
    if (!Outlet::suits(fd)) inherited.push_back(fd);
  if (files || !inherited.empty()) {
    MUSTER_TRY(started, FileWriter::start(io, inherited, std::move(on_error)));
    writer = std::move(started);
    writer_target.outlet = &writer->outlet();
    writer_target.outlet->on_low([this] { on_low(writer_target); });
  }
  spill.emplace(
      io, options.spill, [this] { on_low(spill->target()); },
      [this](const std::string& line) { print("muster: " + options.spill.host + ": " + line); });
  set_up_console(out, options.out_fd);
  if (same_file(options.out_fd, options.err_fd)) {
    err.file = out.file;
    err.target = out.target;
    err.line_limit = out.line_limit;
  } else {
    set_up_console(err, options.err_fd);
  }
  return {};
}

void OutputCarrier::State::set_up_console(Console& console, int fd) {
  if (Outlet::suits(fd)) {
    console.outlet = std::make_unique<Outlet>(io, fd, kSlurmWrite);
    console.own_target.outlet = console.outlet.get();
    console.target = &console.own_target;
    console.outlet->on_low([this, &console] { on_low(console.own_target); });
  } else {
    console.file = writer->adopt(fd);
    console.target = &writer_target;
    console.line_limit = kFileLine;
  }
}

std::vector<Target*> OutputCarrier::State::targets() {
  std::vector<Target*> all{out.target};
  if (err.target != out.target) all.push_back(err.target);
  if (writer && out.target != &writer_target && err.target != &writer_target)
    all.push_back(&writer_target);
  return all;
}

Result<process::GangOutput::Ends> OutputCarrier::State::open(LocalRank local_rank) {
  const auto found = std::find_if(workers.begin(), workers.end(), [&](const WorkerFields& worker) {
    return worker.local_rank == local_rank;
  });
  if (found == workers.end())
    return failure(ErrorCode::kInvalidArgument, "output of local rank " +
                                                    std::to_string(value_of(local_rank)) +
                                                    ": it is no worker of this attempt");
  process::GangOutput::Ends ends;
  MUSTER_TRY(out_end, open_stream(*found, Stream::kOut));
  ends.out = std::move(out_end);
  MUSTER_TRY(err_end, open_stream(*found, Stream::kErr));
  ends.err = std::move(err_end);
  return ends;
}

Result<Fd> OutputCarrier::State::open_stream(const WorkerFields& worker, Stream stream) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure(system_error("make a pipe", errno));
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  readers.push_back(std::make_unique<Reader>(io, std::move(read_end), make_source(worker, stream)));
  wait_for(*readers.back());
  return write_end;
}

Source OutputCarrier::State::make_source(const WorkerFields& worker, Stream stream) {
  const auto routed = options.routes.find({worker.local_rank, stream});
  const Route route = routed == options.routes.end() ? options.route : routed->second;
  Console& console = stream == Stream::kOut ? out : err;
  const std::string prefix = expand_prefix(
      options.prefix, PrefixFields{worker.host, worker.rank, worker.local_rank}, options.colour);
  std::optional<Lane> to_console;
  if (route.console)
    to_console.emplace(*console.target, writer.get(), console.file, *spill,
                       spill_name(attempt, worker.rank, stream, false));
  std::optional<Lane> to_file;
  if (route.file)
    to_file.emplace(writer_target, writer.get(),
                    writer->open(stream_file(options.directory, attempt, worker.rank, stream)),
                    *spill, spill_name(attempt, worker.rank, stream, true));
  return Source(worker.local_rank, stream, prefix, piece_limit(prefix, console.line_limit),
                std::move(to_console), std::move(to_file));
}

void OutputCarrier::State::wait_for(Reader& reader) {
  reader.paused = reader.source.blocked();
  if (reader.paused) {
    arm_stall_timer();
    return;
  }
  arm_idle_timer(reader);
  reader.pipe.async_wait(Watched::wait_read, [self = shared_from_this(), &reader](auto error) {
    self->on_readable(reader, error);
  });
}

void OutputCarrier::State::on_readable(Reader& reader, const error_code& error) {
  if (error || stopped) return;
  if (read_once(reader)) wait_for(reader);
}

// False at the end of the pipe, which is closed then.
bool OutputCarrier::State::read_once(Reader& reader) {
  const ssize_t size = ::read(reader.pipe.native_handle(), buffer.data(), buffer.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size <= 0) {
    end_of(reader);
    return false;
  }
  last_read = Clock::now();
  reader.source.feed({buffer.data(), static_cast<std::size_t>(size)}, last_read);
  arm_idle_timer(reader);
  return true;
}

void OutputCarrier::State::end_of(Reader& reader) {
  error_code ignored;
  reader.pipe.close(ignored);
  reader.paused = false;
  reader.source.finish();
  nudge_drain();
}

void OutputCarrier::State::resume() {
  for (const auto& reader : readers)
    if (reader->paused && reader->pipe.is_open()) wait_for(*reader);
}

void OutputCarrier::State::arm_idle_timer(const Reader& reader) {
  const auto deadline = reader.source.next_deadline();
  if (idle_armed || !deadline) return;
  idle_armed = true;
  idle_timer.expires_at(*deadline);
  idle_timer.async_wait([self = shared_from_this()](auto error) { self->on_idle(error); });
}

void OutputCarrier::State::on_idle(const error_code& error) {
  idle_armed = false;
  if (error || stopped) return;
  for (const auto& reader : readers) {
    // A pause of ours is no silence of the worker's, nor is what waits unread.
    if (reader->paused || !reader->pipe.is_open() || !read_once(*reader)) continue;
    reader->source.tick(Clock::now());
    arm_idle_timer(*reader);
  }
}

void OutputCarrier::State::arm_stall_timer() {
  if (stall_armed) return;
  stall_armed = true;
  stall_timer.expires_after(std::min(kStallLook, options.stall_limit));
  stall_timer.async_wait([self = shared_from_this()](auto error) { self->on_stall(error); });
}

void OutputCarrier::State::on_stall(const error_code& error) {
  stall_armed = false;
  if (error || stopped) return;
  for (Target* target : targets())
    if (target->stands_still(options.stall_limit)) target->dropping = true;
  spill->look();
  resume();  // arms the timer again for those that stay paused
}

void OutputCarrier::State::on_low(Target& target) {
  if (stopped) return;
  if (std::exchange(target.dropping, false))
    for (const auto& reader : readers) reader->source.release(&target);
  resume();
  nudge_drain();
}

void OutputCarrier::State::drain(std::function<void()> done) {
  drained = std::move(done);
  drain_start = last_read = Clock::now();
  flush_start = TimePoint{};
  asio::post(io, [self = shared_from_this()] { self->on_drain_timer({}); });
}

void OutputCarrier::State::arm_drain_timer() {
  drain_timer.expires_after(kDrainLook);
  drain_timer.async_wait([self = shared_from_this()](auto error) { self->on_drain_timer(error); });
}

// Something that a drain waits for may have happened; the timer sees to the deadlines.
void OutputCarrier::State::nudge_drain() {
  if (drained) asio::post(io, [self = shared_from_this()] { self->on_drain_timer({}); });
}

void OutputCarrier::State::on_drain_timer(const error_code& error) {
  if (error || stopped || !drained) return;
  const TimePoint now = Clock::now();
  if (!pipes_are_done(now)) {
    arm_drain_timer();
    return;
  }
  if (flush_start == TimePoint{}) {
    flush_start = now;
    for (const auto& reader : readers) reader->source.release(nullptr);
  }
  if (!outlets_are_empty() && now < flush_start + options.drain_limit) {
    arm_drain_timer();
    return;
  }
  const auto done = std::exchange(drained, nullptr);
  done();
}

// True when every pipe is at its end, or has been brought there because its time is over.
bool OutputCarrier::State::pipes_are_done(TimePoint now) {
  const bool open = std::any_of(readers.begin(), readers.end(),
                                [](const auto& reader) { return reader->pipe.is_open(); });
  const bool paused = std::any_of(readers.begin(), readers.end(),
                                  [](const auto& reader) { return reader->paused; });
  if (!open) return true;
  // A stray process may hold a pipe open in silence; a slow console makes pauses.
  const bool silent = !paused && now >= last_read + options.end_limit;
  if (!silent && now < drain_start + options.drain_limit) return false;
  force_end();
  return true;
}

void OutputCarrier::State::force_end() {
  for (Target* target : targets()) target->dropping = target->outlet->is_full();
  constexpr int kReadsPerPipe = 32;  // more than a pipe holds, unless someone still writes
  for (const auto& reader : readers) {
    for (int i = 0; i < kReadsPerPipe && reader->pipe.is_open(); ++i) read_once(*reader);
    if (reader->pipe.is_open()) end_of(*reader);
  }
  for (Target* target : targets()) target->dropping = false;
}

bool OutputCarrier::State::outlets_are_empty() const {
  return out.target->is_empty() && err.target->is_empty() && writer_target.is_empty();
}

bool OutputCarrier::State::print(std::string_view line) {
  if (stopped || (err.file && !writer->is_alive())) return false;
  LineSplitter splitter(piece_limit("", err.line_limit));
  for (const Piece& piece : splitter.feed(std::string(line) + "\n", TimePoint{})) {
    const std::string text = console_line("", piece);
    if (!err.file) {
      err.target->outlet->push(text);
    } else if (!writer->append(*err.file, text)) {
      return false;
    }
  }
  return true;
}

// First the lines put aside, since what is said of them has to go out too.
void OutputCarrier::State::finish(std::function<void()> done) {
  spill->finish(options.end_limit, [self = shared_from_this(), done = std::move(done)]() mutable {
    self->finish_logs(std::move(done));
  });
}

void OutputCarrier::State::finish_logs(std::function<void()> done) {
  drain([self = shared_from_this(), done = std::move(done)] {
    if (!self->writer) {
      done();
      return;
    }
    self->stopped = true;  // the writer's outlet goes away
    self->writer->finish(self->options.drain_limit, [done](bool) { done(); });
  });
}

void OutputCarrier::State::stop() {
  stopped = true;
  drained = nullptr;
  idle_timer.cancel();
  stall_timer.cancel();
  drain_timer.cancel();
  error_code ignored;
  for (const auto& reader : readers) reader->pipe.close(ignored);
  out.outlet.reset();
  err.outlet.reset();
  writer.reset();
  spill.reset();
}

Result<std::unique_ptr<OutputCarrier>> OutputCarrier::create(
    asio::io_context& io, OutputOptions options, std::function<void(const std::string&)> on_error) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed console is an errno
  auto state = std::make_shared<State>(io, std::move(options));
  MUSTER_RETURN_IF_ERROR(state->set_up(std::move(on_error)));
  return std::unique_ptr<OutputCarrier>(new OutputCarrier(std::move(state)));
}

OutputCarrier::~OutputCarrier() {
  state_->stop();
}

void OutputCarrier::begin_attempt(Attempt attempt, std::vector<WorkerFields> workers) {
  state_->attempt = attempt;
  state_->workers = std::move(workers);
  error_code ignored;
  for (const auto& reader : state_->readers) reader->pipe.close(ignored);
  state_->retired = std::exchange(state_->readers, {});
}

Result<process::GangOutput::Ends> OutputCarrier::open(LocalRank local_rank) {
  return state_->open(local_rank);
}

void OutputCarrier::drain(std::function<void()> done) {
  state_->drain(std::move(done));
}

bool OutputCarrier::print(std::string_view line) {
  return state_->print(line);
}

std::vector<std::string> OutputCarrier::last_lines(LocalRank local_rank, Stream stream,
                                                   std::size_t count) const {
  for (const auto& reader : state_->readers)
    if (reader->source.local_rank() == local_rank && reader->source.stream() == stream)
      return reader->source.tail().last(count);
  return {};
}

std::size_t OutputCarrier::dropped_lines() const {
  std::size_t lines = 0;
  for (const auto& reader : state_->readers) lines += reader->source.dropped_ever();
  return lines;
}

void OutputCarrier::finish(std::function<void()> done) {
  state_->finish(std::move(done));
}

}  // namespace muster::output
