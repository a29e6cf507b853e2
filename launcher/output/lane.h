// Lane: one stream's way to one destination, the console or its file. While the destination is
// stuck for good (`Target::dropping`), the lane holds the last lines; older ones go to the spill,
// and what that does not take is counted.
//
// Part of the shell behind OutputCarrier; never blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "launcher/output/file_writer.h"
#include "launcher/output/held_lines.h"
#include "launcher/output/outlet.h"
#include "launcher/output/spill.h"

namespace muster::output {

class Lane {
 public:
  // `spill_name`: of this lane's file in the spill.
  Lane(Target& target, FileWriter* writer, std::optional<FileId> file, Spill& spill,
       std::string spill_name)
      : target_(&target),
        writer_(writer),
        file_(file),
        spill_(&spill),
        spill_name_(std::move(spill_name)) {}

  Target& target() const { return *target_; }
  // Whether the worker should wait, for the target or for the spill in its place.
  bool blocks() const { return (target_->dropping ? spill_->target() : *target_).blocks(); }
  // Line after line; held and counted while the target is dropping.
  void put_line(std::string_view line);
  // Bytes of a line or of many; only while the target is not dropping.
  void put_bytes(std::string_view bytes);
  // Gives out what was held, after lines that count what was put aside and what is lost. `name`
  // opens those.
  void release(std::string_view name);
  void close();

  std::size_t dropped_ever() const { return held_.dropped_ever(); }

 private:
  void hold(std::string line);

  Target* target_;
  FileWriter* writer_;  // null: straight to the target's outlet
  std::optional<FileId> file_;
  Spill* spill_;
  std::string spill_name_;
  HeldLines held_;
};

}  // namespace muster::output
