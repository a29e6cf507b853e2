#include "launcher/output/lane.h"

namespace muster::output {

void Lane::put_line(std::string_view line) {
  if (target_->dropping) {
    held_.add(std::string(line));
  } else {
    put_bytes(line);
  }
}

void Lane::put_bytes(std::string_view bytes) {
  if (!file_) {
    target_->outlet->push(bytes);
  } else if (!writer_->append(*file_, bytes)) {
    held_.add(std::string(bytes));  // the queue is full beyond all pauses
  }
}

void Lane::release(std::string_view name) {
  if (held_.empty()) return;
  const HeldLines::Taken taken = held_.take();
  if (taken.dropped > 0)
    put_bytes(std::string(name) + "muster: " + std::to_string(taken.dropped) +
              " lines dropped here, the output did not keep up\n");
  for (const std::string& line : taken.lines) put_bytes(line);
}

void Lane::close() {
  if (file_) writer_->close(*file_);
}

}  // namespace muster::output
