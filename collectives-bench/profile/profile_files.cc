#include "collectives-bench/profile/profile_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "collectives-bench/profile/profile_parser.h"
#include "collectives-bench/profile/yaml_tree.h"

namespace muster::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxIdentity = 64;

// The first line, without what a terminal or a path would choke on.
std::string read_identity(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::erase_if(line, [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '-' || c == '_');
  });
  return line.substr(0, kMaxIdentity);
}

std::string_view without_ml(std::string_view type) {
  return type.starts_with("ml.") ? type.substr(3) : type;
}

bool is_path(std::string_view wanted) {
  return wanted.find('/') != std::string_view::npos || wanted.ends_with(".yaml");
}

// Sorted, the first folder's first.
std::vector<std::string> list_files(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    const std::size_t start = files.size();
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".yaml") files.push_back(entry->path().string());
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(start), files.end());
  }
  return files;
}

// By file name or instance type; nullopt when no file fits. A broken file is passed over unless
// its name is the one that is wanted.
std::optional<Result<Profile>> find_profile(std::string_view wanted,
                                            const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (fs::path(file).stem() == wanted) return load_profile(file);
  }
  for (const std::string& file : files) {
    Result<Profile> profile = load_profile(file);
    if (!profile) continue;
    const std::vector<std::string>& types = profile->instance_types;
    if (std::find(types.begin(), types.end(), wanted) != types.end()) return profile;
  }
  return std::nullopt;
}

Error no_such_profile(std::string_view wanted, const std::vector<std::string>& folders,
                      const std::vector<std::string>& files) {
  std::string names;
  for (const std::string& file : files) {
    names += (names.empty() ? "" : ", ") + fs::path(file).stem().string();
  }
  std::string places;
  for (const std::string& folder : folders) places += (places.empty() ? "" : ", ") + folder;
  return Error(ErrorCode::kNotFound, "no profile '" + std::string(wanted.substr(0, kMaxIdentity)) +
                                         "' in " + places + "; expected " +
                                         (names.empty() ? "a .yaml file there" : names) +
                                         ", or the path of a .yaml file");
}

}  // namespace

Machine read_machine(const std::string& sysfs_root) {
  return {read_identity(sysfs_root + "/class/dmi/id/product_name"),
          read_identity(sysfs_root + "/class/dmi/id/board_asset_tag")};
}

std::vector<std::string> profile_folders(const Environment& environment,
                                         const std::string& program) {
  if (const auto folder = environment.get("MUSTER_PROFILE_DIR"); folder && !folder->empty()) {
    return {std::string(*folder)};
  }
  const fs::path beside = fs::path(program).parent_path().parent_path() / "share/muster/profiles";
  std::vector<std::string> folders{beside.string()};
  if (beside != MUSTER_PROFILE_FOLDER) folders.emplace_back(MUSTER_PROFILE_FOLDER);
  return folders;
}

Result<Profile> load_profile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxYamlBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open() || (file.gcount() == 0 && !fs::is_regular_file(path))) {
    return failure(ErrorCode::kNotFound,
                   "the profile " + path + " cannot be read; expected a YAML file");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_profile(path, text);
}

Result<Profile> choose_profile(const std::optional<std::string>& wanted, const Machine& machine,
                               const std::vector<std::string>& folders) {
  if (wanted && is_path(*wanted)) return load_profile(*wanted);
  const std::vector<std::string> files = list_files(folders);
  const std::string_view name = without_ml(wanted ? *wanted : machine.instance_type);
  if (!name.empty()) {
    if (auto found = find_profile(name, files)) return std::move(*found);
  }
  if (wanted) return failure(no_such_profile(*wanted, folders, files));
  if (auto found = find_profile(kGenericProfile, files)) return std::move(*found);
  return failure(no_such_profile(kGenericProfile, folders, files));
}

}  // namespace muster::bench
