#include "collectives-bench/fabric/libfabric.h"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace muster::bench::fabric {

namespace {

std::vector<std::string> candidates(const Environment& environment) {
  if (const auto file = environment.get("MUSTER_LIBFABRIC"); file && !file->empty()) {
    return {std::string(*file)};
  }
  return {"/opt/amazon/efa/lib64/libfabric.so.1", "/opt/amazon/efa/lib/libfabric.so.1",
          "libfabric.so.1", "libfabric.so.2"};
}

}  // namespace

Result<Libfabric> Libfabric::open(const Environment& environment) {
  std::string tried;
  for (const std::string& file : candidates(environment)) {
    auto opened = SharedLibrary::open(file);
    if (!opened) {
      tried += fmt::format("{}{}", tried.empty() ? "" : ", ", opened.error().message());
      continue;
    }
    Libfabric library(std::move(*opened));
    MUSTER_RETURN_IF_ERROR(library.bind_symbols());
    library.path_ = library.library_.file_of(reinterpret_cast<const void*>(library.getinfo));
    return library;
  }
  return failure(
      ErrorCode::kNotFound,
      fmt::format("no libfabric: {}; install it or set MUSTER_LIBFABRIC to its file", tried));
}

Status Libfabric::bind_symbols() {
  MUSTER_RETURN_IF_ERROR(library_.bind("fi_getinfo", getinfo));
  MUSTER_RETURN_IF_ERROR(library_.bind("fi_freeinfo", freeinfo));
  MUSTER_RETURN_IF_ERROR(library_.bind("fi_dupinfo", dupinfo));
  MUSTER_RETURN_IF_ERROR(library_.bind("fi_fabric", fabric));
  MUSTER_RETURN_IF_ERROR(library_.bind("fi_version", version_));
  return library_.bind("fi_strerror", strerror_);
}

std::string Libfabric::version() const {
  const std::uint32_t version = version_();
  return fmt::format("{}.{}", FI_MAJOR(version), FI_MINOR(version));
}

std::string Libfabric::error_text(int code) const {
  return strerror_(code < 0 ? -code : code);
}

}  // namespace muster::bench::fabric
