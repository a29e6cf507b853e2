// SharedLibrary: one shared object opened at run time, and its symbols.
//
// The code stays mapped until the process ends even when the object is closed: libraries behind it
// leave threads.
#pragma once

#include <memory>
#include <string>

#include "rendezvous/base/result.h"

namespace muster::bench {

class SharedLibrary {
 public:
  // `file` as dlopen takes it: a path, or a name to search. The error is the loader's text.
  static Result<SharedLibrary> open(const std::string& file);

  // kUnsupported names the missing symbol.
  template <class Function>
  Status bind(const char* name, Function*& function) const {
    MUSTER_TRY(symbol, find(name));
    function = reinterpret_cast<Function*>(symbol);
    return {};
  }

  Result<void*> find(const char* name) const;

  // The file that holds `symbol`, links resolved.
  std::string file_of(const void* symbol) const;

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  SharedLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}

  std::unique_ptr<void, Close> handle_;
  std::string name_;
};

}  // namespace muster::bench
