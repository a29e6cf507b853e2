#include "launcher/output/source.h"

#include <utility>

#include "launcher/output/prefix.h"

namespace muster::output {

Source::Source(LocalRank local_rank, Stream stream, std::string prefix, std::size_t piece_limit,
               std::optional<Lane> console, std::optional<Lane> file)
    : local_rank_(local_rank),
      stream_(stream),
      prefix_(std::move(prefix)),
      splitter_(piece_limit),
      console_(std::move(console)),
      file_(std::move(file)) {}

void Source::feed(std::string_view bytes, TimePoint now) {
  if (file_ && !file_->target().dropping) file_->put_bytes(bytes);
  put(splitter_.feed(bytes, now));
}

void Source::tick(TimePoint now) {
  put(splitter_.tick(now));
}

void Source::finish() {
  put(splitter_.finish());
  if (!file_) return;
  file_->release("");
  file_->close();
}

void Source::put(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    tail_.add(piece);
    if (console_) console_->put_line(console_line(prefix_, piece));
    if (file_ && file_->target().dropping)
      file_->put_line(piece.ends_line ? piece.text + "\n" : piece.text);
  }
}

bool Source::blocked() const {
  return (console_ && console_->blocks()) || (file_ && file_->blocks());
}

void Source::release(const Target* target) {
  if (console_ && (target == nullptr || &console_->target() == target)) console_->release(prefix_);
  if (file_ && (target == nullptr || &file_->target() == target)) file_->release("");
}

std::size_t Source::dropped_ever() const {
  return (console_ ? console_->dropped_ever() : 0) + (file_ ? file_->dropped_ever() : 0);
}

}  // namespace muster::output
