#include "launcher/agent/writable_places.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "launcher/health/child_question.h"

namespace muster::launcher {

namespace {

constexpr Duration kLimit{10'000};

struct Place {
  std::string source;                         // the option as the user wrote it
  std::function<std::string()> find_problem;  // runs in the child; "" or what is wrong
};

// The first problem in the order of the places.
Status ask(const std::vector<Place>& places) {
  std::vector<std::function<std::string()>> questions;
  for (const Place& place : places) questions.push_back(place.find_problem);
  const auto answers = health::ChildQuestion::ask_all_and_wait("muster-places", questions, kLimit);
  for (std::size_t i = 0; i < places.size(); ++i) {
    // A file system that stands still may be back when there is something to write.
    if (!answers[i] || answers[i]->empty()) continue;
    return failure(ErrorCode::kInvalidArgument, places[i].source + ": " + *answers[i]);
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string make_folder(const std::string& folder) {
  for (std::size_t slash = 0; slash != std::string::npos;) {
    slash = folder.find('/', slash + 1);
    const std::string part = folder.substr(0, slash);
    if (::mkdir(part.c_str(), 0777) == 0 || errno == EEXIST) continue;
    const int error = errno;  // of a part that is there it may be any, as on a read-only system
    struct stat found {};
    if (::stat(part.c_str(), &found) != 0) return "make " + part + ": " + std::strerror(error);
  }
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return "";
  return "write in " + folder + ": " + std::strerror(errno);
}

// A file that is there and can be written need not be in a folder that can: /dev/null.
std::string find_file_problem(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return "is a folder; expected the name of a file";
    return ::access(path.c_str(), W_OK) == 0 ? "" : std::strerror(errno);
  }
  const std::string folder = folder_of(path);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return "";
  return "folder " + folder + ": " + std::strerror(errno) +
         "; expected a file in a folder that is there and can be written";
}

}  // namespace

Status prepare_places(const options::Options& options, const std::string& log_folder,
                      bool writes_results) {
  std::vector<Place> places;
  if (writes_results) {
    const bool measures = options.check.mode != options::CheckMode::kOff;
    for (const auto& [flag, path] :
         {std::pair("--json=", options.json), std::pair("--html=", options.html),
          std::pair("--record-baseline=", measures ? options.record_baseline : "")}) {
      if (path.empty()) continue;
      places.push_back({flag + path, [file = path] { return find_file_problem(file); }});
    }
  }
  if (options.output.target != options::OutputTarget::kConsole) {
    places.push_back({"--log-dir=" + options.output.log_dir, [&log_folder] {
                        const std::string problem = make_folder(log_folder);
                        return problem.empty()
                                   ? problem
                                   : problem + "; write a folder that every node can write to";
                      }});
  }
  return ask(places);
}

}  // namespace muster::launcher
