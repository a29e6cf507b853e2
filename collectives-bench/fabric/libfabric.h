// Libfabric: the shared library, opened by path at run time, and the few symbols that the headers'
// inline calls do not cover. Adapter: libfabric types stay inside this folder.
#pragma once

#include <rdma/fabric.h>

#include <string>

#include "collectives-bench/shared_library.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::bench::fabric {

class Libfabric {
 public:
  // Tries $MUSTER_LIBFABRIC alone when it is set; else AWS's under /opt/amazon/efa, then the
  // system's. kNotFound lists what was tried and why each did not open.
  static Result<Libfabric> open(const Environment& environment);

  std::string version() const;  // "1.17"
  const std::string& path() const { return path_; }
  std::string error_text(int code) const;  // of a negative return code

  decltype(&::fi_getinfo) getinfo = nullptr;
  decltype(&::fi_freeinfo) freeinfo = nullptr;
  decltype(&::fi_dupinfo) dupinfo = nullptr;
  decltype(&::fi_fabric) fabric = nullptr;

 private:
  explicit Libfabric(SharedLibrary library) : library_(std::move(library)) {}
  Status bind_symbols();

  SharedLibrary library_;
  std::string path_;
  decltype(&::fi_version) version_ = nullptr;
  decltype(&::fi_strerror) strerror_ = nullptr;
};

}  // namespace muster::bench::fabric
