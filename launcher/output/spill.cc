#include "launcher/output/spill.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace muster::output {

Spill::Spill(boost::asio::io_context& io, SpillOptions options, std::function<void()> on_low,
             std::function<void(const std::string&)> say)
    : io_(io),
      options_(std::move(options)),
      on_low_(std::move(on_low)),
      say_(std::move(say)),
      over_(options_.path.empty()) {}

bool Spill::put(const std::string& name, std::string_view line) {
  if (over_ || failed_ || target_.dropping || bytes_ + line.size() > options_.limit) return false;
  File* file = find_or_make(name);
  if (file == nullptr || !writer_->append(file->id, line)) return false;
  bytes_ += line.size();
  ++file->lines;
  return true;
}

Spill::File* Spill::find_or_make(const std::string& name) {
  const auto found = files_.find(name);
  if (found != files_.end()) return &found->second;
  if (!writer_) start_writer();
  if (!writer_) return nullptr;
  File& file = files_[name];
  file.id = writer_->make(options_.path + name);
  return &file;
}

void Spill::start_writer() {
  auto started = FileWriter::start(io_, {}, [this](const std::string& line) { on_report(line); });
  if (!started) {
    failed_ = true;
    say_("lines are no longer put aside: " + started.error().message());
    return;
  }
  writer_ = std::move(*started);
  target_.outlet = &writer_->outlet();
  target_.outlet->on_low(on_low_);
}

void Spill::look() {
  if (target_.dropping || !target_.stands_still(options_.stall_limit)) return;
  target_.dropping = true;
  say_("lines that are put aside may be missing: " + options_.path + "* takes none either");
}

Spill::Account Spill::settle(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return {};
  File& file = found->second;
  const std::size_t aside = file.lines - std::exchange(file.settled, file.lines);
  return {aside, std::exchange(file.lost, 0)};
}

std::string Spill::place_of(const std::string& name) const {
  return options_.host + ":" + options_.path + name;
}

// "FILE LINES WHY", or a line about the writer itself. What one file cannot have, for want of
// rights or of space, the others cannot have either.
void Spill::on_report(const std::string& line) {
  const bool first = !std::exchange(failed_, true);
  std::istringstream words(line);
  std::uint32_t id = 0;
  std::size_t held = 0;
  std::string why;
  if (!(words >> id >> held >> std::ws) || !std::getline(words, why)) {
    say_("lines that are put aside may be missing: " + line);
    return;
  }
  for (auto& [name, file] : files_) {
    if (file.id != FileId{id}) continue;
    const std::size_t kept = std::min(file.lines, held);
    file.lost += file.lines - kept;
    file.lines = kept;
    file.settled = std::min(file.settled, kept);
  }
  if (held > 0) {
    say_(why + "; it holds " + std::to_string(held) + " lines that were put aside");
  } else if (first) {
    say_("lines are no longer put aside: " + why);
  }
}

void Spill::finish(Duration limit, std::function<void()> done) {
  over_ = true;
  target_.outlet = nullptr;  // goes away
  if (!writer_) return done();
  writer_->finish(limit, [done = std::move(done)](bool) { done(); });
}

}  // namespace muster::output
