// The table of all flags that `muster` understands: its own and torchrun's. Pure.
//
// One row a flag; the parser, the PET_ variables, the suggestions for misspelt names and the tables
// of README.md all come from it. Dashes and underscores in a name are the same.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/options/options.h"

namespace muster::options {

enum class FlagOrigin { kMuster, kTorchrun };

enum class FlagTreatment {
  kAccepted,  // does what it says; `text` says what that is
  kIgnored,   // a note says why; the job runs the same without it
  kRefused,   // an error says what to write instead
};
std::string_view to_string(FlagTreatment treatment);

struct FlagRow;

// Where a value came from, and where its effect goes.
struct FlagUse {
  const FlagRow* row = nullptr;
  std::string value;   // "" for a flag without a value
  std::string source;  // as the user wrote it: "--nproc-per-node=8", "PET_NPROC_PER_NODE=8"
};

using ApplyFlag = Status (*)(const FlagUse& use, Parsed& parsed);

struct FlagRow {
  std::string_view name;         // "nproc-per-node"
  char letter = 0;               // 'm' for -m, 0 for none
  std::string_view placeholder;  // of the value; empty for a flag that takes none
  FlagOrigin origin = FlagOrigin::kMuster;
  FlagTreatment treatment = FlagTreatment::kAccepted;
  bool reads_pet = false;     // PET_<NAME> of the environment is read
  std::string_view text;      // accepted: what it does; ignored, refused: why, and what to write
  ApplyFlag apply = nullptr;  // accepted rows only
};

// Own rows first, then torchrun's in the order of its help.
std::span<const FlagRow> flag_table();

// By long name; '_' equals '-'. Null when there is none.
const FlagRow* find_flag(std::string_view name);
const FlagRow* find_flag(char letter);

// The known long name most like `name`, "" when none is near.
std::string_view nearest_flag(std::string_view name);

// "PET_NPROC_PER_NODE" for nproc-per-node.
std::string pet_variable(const FlagRow& row);

}  // namespace muster::options
