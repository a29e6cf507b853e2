// Source: what becomes of the bytes of one stream of one worker: the tail, lines for the console,
// and the bytes as they are for the file. Does no input; OutputCarrier feeds it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/output/lane.h"
#include "launcher/output/line_splitter.h"
#include "launcher/output/log_layout.h"
#include "launcher/output/tail.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/time.h"

namespace muster::output {

class Source {
 public:
  Source(LocalRank local_rank, Stream stream, std::string prefix, std::size_t piece_limit,
         std::optional<Lane> console, std::optional<Lane> file);

  void feed(std::string_view bytes, TimePoint now);
  void tick(TimePoint now);
  void finish();
  std::optional<TimePoint> next_deadline() const { return splitter_.next_deadline(); }

  // Whether a destination wants the worker to wait.
  bool blocked() const;
  // Gives out what was held for `target`, or for any if null.
  void release(const Target* target);

  LocalRank local_rank() const { return local_rank_; }
  Stream stream() const { return stream_; }
  const Tail& tail() const { return tail_; }
  std::size_t dropped_ever() const;

 private:
  void put(const std::vector<Piece>& pieces);

  LocalRank local_rank_;
  Stream stream_;
  std::string prefix_;
  LineSplitter splitter_;
  Tail tail_;
  std::optional<Lane> console_;
  std::optional<Lane> file_;
};

}  // namespace muster::output
