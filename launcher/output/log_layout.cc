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

}  // namespace muster::output
