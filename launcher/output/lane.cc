#include "launcher/output/lane.h"

namespace muster::output {

void Lane::put_line(std::string_view line) {
  if (target_->dropping) {
    hold(std::string(line));
  } else {
    put_bytes(line);
  }
}

void Lane::put_bytes(std::string_view bytes) {
  if (!file_) {
    target_->outlet->push(bytes);
  } else if (!writer_->append(*file_, bytes)) {
    hold(std::string(bytes));  // the queue is full beyond all pauses
  }
}

void Lane::hold(std::string line) {
  held_.add(std::move(line));
  while (const std::optional<std::string> oldest = held_.take_excess()) {
    // After the first that was lost none is put aside, so that the file has no gap.
    if (held_.dropped() > 0 || !spill_->put(spill_name_, *oldest)) held_.count_dropped(1);
  }
}

void Lane::release(std::string_view name) {
  const Spill::Account account = spill_->settle(spill_name_);
  held_.count_dropped(account.lost);
  if (held_.empty()) return;
  const HeldLines::Taken taken = held_.take();
  const auto tell = [&](std::size_t lines, const std::string& fate) {
    if (lines > 0)
      put_bytes(std::string(name) + "muster: " + std::to_string(lines) + " lines " + fate +
                ", the output did not keep up\n");
  };
  tell(account.aside, "put aside in " + spill_->place_of(spill_name_));
  tell(taken.dropped, "dropped here");
  for (const std::string& line : taken.lines) put_bytes(line);
}

void Lane::close() {
  if (file_) writer_->close(*file_);
}

}  // namespace muster::output
