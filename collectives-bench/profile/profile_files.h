// Which profile a machine gets, and from which file. Reads small files; the sysfs root is an
// argument.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/profile/profile.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr const char* kGenericProfile = "generic";

// What the firmware says; each "" where it does not. On EC2 the product name is the instance type
// and the asset tag the instance id, which stays with the hardware when node names are reused.
struct Machine {
  std::string instance_type;  // "p5.48xlarge"
  std::string instance_id;    // "i-0123456789abcdef0"
  bool operator==(const Machine&) const = default;
};

Machine read_machine(const std::string& sysfs_root = "/sys");

// $MUSTER_PROFILE_DIR alone when it is set; else ../share/muster/profiles beside the program's
// folder, and the place of installation. `program` is the program's own file.
std::vector<std::string> profile_folders(const Environment& environment,
                                         const std::string& program);

// kNotFound; else the errors of parse_profile.
Result<Profile> load_profile(const std::string& path);

// `wanted`: a path (it has a '/' or ends in .yaml), a profile's name, or an instance type, with or
// without SageMaker's "ml."; kNotFound lists what there is. Without it: the profile of the
// machine's type, else "generic".
Result<Profile> choose_profile(const std::optional<std::string>& wanted, const Machine& machine,
                               const std::vector<std::string>& folders);

}  // namespace muster::bench
