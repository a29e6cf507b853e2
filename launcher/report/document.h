// Document: what the page shows of the JSON document of `muster check`, as values. Pure.
//
// Every member of the JSON may be absent or null: its field is then empty. A member of another type
// than expected is an error that names it, since leaving it out would hide a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::report {

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{256} << 20;

using Texts = std::vector<std::string>;

struct Probe {
  std::string probe;
  std::string answer;  // "PASS", "WARN", "FAIL", "SKIP"
  std::string value;
  std::string reason;
  Texts subjects;
};

struct Fact {
  std::string name;
  std::string value;
};

struct Node {
  std::string host;
  std::string answer;
  std::string instance_id;
  std::vector<Probe> probes;
  std::vector<Fact> facts;
};

struct FactGroup {
  std::string value;
  Texts hosts;
};

struct Disagreement {
  std::string fact;
  std::string answer;
  bool has_majority = false;
  std::vector<FactGroup> groups;
};

struct Measurement {
  std::string backend;
  std::uint64_t ranks = 0;
  std::string library;
  std::string network;
  std::string device;
  std::string verdict;
};

struct Expected {
  std::optional<double> busbw;    // GB/s
  std::optional<double> minimum;  // GB/s
  std::string kind;               // "recorded", "published", "minimum"
  std::string source;
};

// One size. Of `nodes` 0 the document does not say over how many nodes.
struct Rate {
  std::string operation;
  std::uint64_t nodes = 0;
  std::uint64_t ranks_per_node = 0;
  std::uint64_t bytes = 0;
  double busbw = 0;  // GB/s
  std::optional<Expected> expected;
};

enum class PairOutcome { kMeasured, kNotMeasured, kWrongData, kHung };  // the worst is the last

struct PairResult {
  std::string a;
  std::string b;
  std::uint64_t round = 0;
  bool is_rail = false;  // one GPU of each: no figure to compare with whole nodes
  PairOutcome outcome = PairOutcome::kMeasured;
  double busbw = 0;  // GB/s, of kMeasured
};

struct Round {
  std::uint64_t number = 0;
  std::string kind;
  std::uint64_t groups = 0;
  std::optional<double> seconds;
};

// An unfit node (one host), a bad link (two) or one of several that is at fault.
struct Suspect {
  Texts hosts;
  std::string fault;
  std::optional<double> ratio;       // of what good ones reach
  std::optional<double> confidence;  // 0 to 1
  Texts gpus;
  std::string evidence;
};

struct Document {
  std::string verdict;
  std::optional<std::int64_t> exit_code;
  std::string profile;
  std::string job;
  std::string when;
  std::optional<double> seconds;
  std::vector<Node> nodes;
  std::vector<Disagreement> disagreements;
  Measurement measurement;
  std::vector<Rate> rates;  // of "busbw", or where that is absent of the measurement's own rows
  std::vector<PairResult> pairs;
  std::vector<Round> rounds;
  std::vector<Suspect> unfit;
  std::vector<Suspect> links;
  std::vector<Suspect> one_of;
  Texts doubtful;
  Texts unmeasured;
  Texts odd;
  Texts chosen;
  Texts spares;
  Texts left_out;
  Texts commands;
  Texts notes;
};

Result<Document> parse_document(std::string_view json_document);

}  // namespace muster::report
