#include "collectives-bench/module_loader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace muster::bench {

namespace {

Status check_fit(const BackendModule* module, const std::string& name, const std::string& file) {
  if (module == nullptr || module->abi != kBackendAbi) {
    return failure(
        ErrorCode::kUnsupported,
        fmt::format("{}: module of interface version {}, this program speaks {}; install "
                    "both from one build",
                    file, module == nullptr ? 0 : module->abi, kBackendAbi));
  }
  if (module->options_size != sizeof(BackendOptions) ||
      std::strcmp(module->compiler, __VERSION__) != 0) {
    return failure(ErrorCode::kUnsupported,
                   fmt::format("{}: built by another compiler ({}, this program by {}); install "
                               "both from one build",
                               file, module->compiler, __VERSION__));
  }
  if (name != module->name) {
    return failure(ErrorCode::kUnsupported,
                   fmt::format("{}: is backend {}, expected {}", file, module->name, name));
  }
  return {};
}

}  // namespace

std::vector<std::string> module_folders(const Environment& environment,
                                        const std::string& program) {
  if (const auto folder = environment.get("MUSTER_MODULE_DIR"); folder && !folder->empty()) {
    return {std::string(*folder)};
  }
  const std::filesystem::path own = std::filesystem::path(program).parent_path();
  std::vector<std::string> folders = {own.string()};
  for (const char* relative : {"../lib/muster", "../" MUSTER_MODULE_FOLDER}) {
    const std::string folder = (own / relative).lexically_normal().string();
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  }
  return folders;
}

Result<LoadedModule> LoadedModule::open(const std::string& name,
                                        const std::vector<std::string>& folders) {
  const std::string file_name = fmt::format("muster-bench-{}.so", name);
  for (const std::string& folder : folders) {
    const std::filesystem::path file = std::filesystem::path(folder) / file_name;
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) continue;
    auto library = SharedLibrary::open(file);
    if (!library) return failure(ErrorCode::kUnsupported, library.error().message());
    BackendEntry* entry = nullptr;
    MUSTER_RETURN_IF_ERROR(library->bind(kBackendSymbol, entry));
    const BackendModule* module = entry();
    MUSTER_RETURN_IF_ERROR(check_fit(module, name, file.string()));
    return LoadedModule(std::move(*library), module);
  }
  return failure(ErrorCode::kNotFound,
                 fmt::format("backend {}: no {} in {}; build with it, or name its folder in "
                             "MUSTER_MODULE_DIR",
                             name, file_name, fmt::join(folders, ", ")));
}

}  // namespace muster::bench
