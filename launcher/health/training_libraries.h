// What the maps of a training process tell of its communication: NCCL, plug-in, libfabric. Pure.
//
// An NCCL that is linked statically into a framework leaves no file in the maps and is not seen.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace muster::health {

struct TrainingLibraries {
  std::set<std::string> nccl;       // paths of libnccl.so*
  std::set<std::string> plugins;    // network plug-ins, libnccl-net*.so*, that of AWS included
  std::set<std::string> libfabric;  // libfabric.so*
  bool uses_gpu = false;            // has mapped a GPU's device file

  bool operator==(const TrainingLibraries&) const = default;
};

// The mapped files, one a line, each once, that read_libraries wants of a text of /proc/PID/maps.
// Paths with control characters are left out.
std::string select_mapped_files(std::string_view maps);

// From lines of select_mapped_files, of one or more processes.
TrainingLibraries read_libraries(std::string_view files);

// The NCCL that the check measured with, to be compared; an empty path: there was none.
struct CheckedLibrary {
  std::string name;  // "NCCL 2.28.9"
  std::string path;  // without links, as the maps have it
};

// The line to print, without the leading "muster: "; nullopt: nothing to tell, or not yet.
// Frameworks load NCCL with their first import and NCCL its plug-in with the first communicator, so
// a missing plug-in is told only when `is_last_look`, and only of a process that uses a GPU.
// Says so too where training uses another file than the check did: its figures are of that one.
std::optional<std::string> describe(const TrainingLibraries& libraries, bool is_last_look,
                                    const CheckedLibrary& checked = {});

}  // namespace muster::health
