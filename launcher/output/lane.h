// Lane: one stream's way to one destination, the console or its file. While the destination is
// stuck for good (`Target::dropping`), the lane holds the last lines and counts the rest.
//
// Part of the shell behind OutputCarrier; never blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "launcher/output/file_writer.h"
#include "launcher/output/held_lines.h"
#include "launcher/output/outlet.h"

namespace muster::output {

// A destination that several lanes share.
struct Target {
  Outlet* outlet = nullptr;
  bool dropping = false;

  bool blocks() const { return outlet->is_full() && !dropping; }
};

class Lane {
 public:
  Lane(Target& target, FileWriter* writer, std::optional<FileId> file)
      : target_(&target), writer_(writer), file_(file) {}

  Target& target() const { return *target_; }
  // Line after line; held and counted while the target is dropping.
  void put_line(std::string_view line);
  // Bytes of a line or of many; only while the target is not dropping.
  void put_bytes(std::string_view bytes);
  // Gives out what was held, after a line that counts what is lost. `name` opens that line.
  void release(std::string_view name);
  void close();

  std::size_t dropped_ever() const { return held_.dropped_ever(); }

 private:
  Target* target_;
  FileWriter* writer_;  // null: straight to the target's outlet
  std::optional<FileId> file_;
  HeldLines held_;
};

}  // namespace muster::output
