#include "collectives-bench/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <climits>
#include <cstdlib>

namespace muster::bench {

void SharedLibrary::Close::operator()(void* handle) const {
  ::dlclose(handle);
}

Result<SharedLibrary> SharedLibrary::open(const std::string& file) {
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle != nullptr) return SharedLibrary(handle, file);
  const char* why = ::dlerror();
  return failure(ErrorCode::kNotFound, why == nullptr ? file : std::string(why));
}

Result<void*> SharedLibrary::find(const char* name) const {
  void* symbol = ::dlsym(handle_.get(), name);
  if (symbol != nullptr) return symbol;
  return failure(ErrorCode::kUnsupported, fmt::format("{} has no {}", name_, name));
}

std::string SharedLibrary::file_of(const void* symbol) const {
  Dl_info where{};
  if (::dladdr(symbol, &where) == 0 || where.dli_fname == nullptr) return name_;
  char resolved[PATH_MAX];
  return ::realpath(where.dli_fname, resolved) != nullptr ? resolved : where.dli_fname;
}

}  // namespace muster::bench
