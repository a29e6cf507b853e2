// Module loader: finds a backend's shared object, opens it, and checks that it is of our build.
#pragma once

#include <string>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/shared_library.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

// $MUSTER_MODULE_DIR alone when it is set; else the program's folder, ../lib/muster and the place
// of installation. `program` is the program's own file.
std::vector<std::string> module_folders(const Environment& environment, const std::string& program);

class LoadedModule {
 public:
  // `name` is "nccl" or "fabric". kNotFound lists the folders looked at; kUnsupported says why a
  // module that is there does not open or fit.
  static Result<LoadedModule> open(const std::string& name,
                                   const std::vector<std::string>& folders);

  const BackendModule& module() const { return *module_; }

 private:
  LoadedModule(SharedLibrary library, const BackendModule* module)
      : library_(std::move(library)), module_(module) {}

  SharedLibrary library_;
  const BackendModule* module_;
};

}  // namespace muster::bench
