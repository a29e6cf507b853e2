// Profile: what one kind of machine should have and reach. A value; profile_parser.h reads it from
// YAML. Pure.
//
// Bandwidth is looked up by (operation, nodes, ranks per node, size), in this way:
//
//   size   a size of the table as it stands. Between two of them, straight over log2(size); but
//          where NCCL changes its algorithm between the two (`follows_step`) the smaller size's
//          figure holds up to the step. Above the largest size the largest one's figure holds.
//          Below the smallest there is no expectation: latency rules there.
//   nodes  the row of that many nodes. Else the nearest row below; when there is a row above too,
//          the lower of the two figures, since bus bandwidth falls as nodes are added and a healthy
//          machine must not be blamed. One node and several never stand in for each other.
//   ranks  exactly: with 5 of 8 GPUs NCCL chooses another algorithm.
//
// What was not read from a row and size as they stand is marked as an estimate.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::bench {

// Published figures only warn; a recorded baseline may stop a job.
enum class FigureKind { kPublished, kRecorded };

std::string_view to_string(FigureKind kind);  // "published", "recorded"; static

struct BusbwPoint {
  std::uint64_t bytes = 0;
  double busbw = 0;           // GB/s, out of place
  std::string source;         // a name in Profile::sources
  bool follows_step = false;  // NCCL changes its algorithm between the next smaller size and this
  bool operator==(const BusbwPoint&) const = default;
};

struct BusbwRow {
  std::string operation;  // "all_reduce"
  std::uint32_t nodes = 0;
  std::uint32_t ranks_per_node = 0;
  std::string algorithm;  // "Ring"; "" when the source does not say
  FigureKind kind = FigureKind::kPublished;
  double tolerance = 0;            // 0.15: down to 15% below the figure is as expected
  std::vector<BusbwPoint> points;  // ascending sizes, at least one
  bool operator==(const BusbwRow&) const = default;
};

// Absent: the profile does not say, so nothing is expected.
struct ExpectedGpus {
  std::string model;  // part of the name that the driver gives, "H100"
  std::optional<std::uint32_t> count;
  std::optional<std::uint32_t> nvlinks;  // of each GPU
  std::optional<std::uint32_t> pcie_width;
  std::optional<std::uint32_t> pcie_generation;
  bool operator==(const ExpectedGpus&) const = default;
};

struct ExpectedNics {
  bool is_efa = false;
  std::optional<std::uint32_t> count;
  std::optional<std::uint32_t> gbit_per_second;  // of each
  bool operator==(const ExpectedNics&) const = default;
};

struct ExpectedHost {
  std::optional<std::uint32_t> nofile;  // files that a program may open
  bool operator==(const ExpectedHost&) const = default;
};

struct EnvironmentSetting {
  std::string name;
  std::string value;
  std::string reason;  // one line for the user
  std::string source;  // a name in Profile::sources
  bool operator==(const EnvironmentSetting&) const = default;
};

struct Profile {
  std::string name;
  std::vector<std::string> instance_types;
  ExpectedGpus gpus;
  ExpectedNics nics;
  ExpectedHost host;
  std::map<std::string, std::string> sources;  // name -> where the figures were published
  // Of several rows that differ in their algorithm only, the first is what NCCL chooses by itself.
  std::vector<BusbwRow> busbw;
  std::vector<EnvironmentSetting> environment;
  bool operator==(const Profile&) const = default;
};

struct BusbwQuery {
  std::string_view operation;
  std::uint32_t nodes = 0;
  std::uint32_t ranks_per_node = 0;
  std::uint64_t bytes = 0;
  std::string_view algorithm = {};  // that NCCL said it uses; "" when unknown
};

struct ExpectedBusbw {
  double busbw = 0;    // GB/s
  double minimum = 0;  // busbw less the tolerance
  FigureKind kind = FigureKind::kPublished;
  bool is_estimate = false;
  std::uint32_t nodes = 0;  // of the row that was used
  std::string algorithm;    // of the row; "" when unknown
  std::string source;       // where the figure comes from, written out

  // A stop needs a recorded figure of just this shape.
  bool may_stop() const { return kind == FigureKind::kRecorded && !is_estimate; }
  bool operator==(const ExpectedBusbw&) const = default;
};

// nullopt: this profile has no expectation for it. At equal fit a recorded row goes first.
std::optional<ExpectedBusbw> expect_busbw(const Profile& profile, const BusbwQuery& query);

}  // namespace muster::bench
