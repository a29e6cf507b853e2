#include "launcher/output/log_layout.h"

namespace muster::output {

std::string rank_directory(std::string_view directory, Attempt attempt, Rank rank) {
  return std::string(directory) + "/attempt_" + std::to_string(value_of(attempt)) + "/" +
         std::to_string(value_of(rank));
}

std::string stream_file(std::string_view directory, Attempt attempt, Rank rank, Stream stream) {
  return rank_directory(directory, attempt, rank) +
         (stream == Stream::kOut ? "/stdout.log" : "/stderr.log");
}

std::string spill_name(Attempt attempt, Rank rank, Stream stream, bool of_file) {
  return "attempt_" + std::to_string(value_of(attempt)) + "-rank_" +
         std::to_string(value_of(rank)) + (stream == Stream::kOut ? ".out" : ".err") +
         (of_file ? ".log" : "");
}

}  // namespace muster::output
