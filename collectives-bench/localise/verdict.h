// Verdict: what all rounds together say. Pure values; README.md has the rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/ids.h"

namespace muster::bench::localise {

enum class Fault { kSlow, kHung, kWrongData };

std::string_view to_string(Fault fault);  // "slow", "hung", "wrong data"; static

struct UnfitNode {
  NodeIndex node{};
  Fault fault = Fault::kSlow;
  double ratio = 0;  // of what good nodes reach; 0 unless slow
  double confidence = 0;
  std::vector<LocalRank> suspect_gpus;  // GPUs with their NICs; empty: the whole node, or not told
  std::string evidence;
};

struct BadLink {
  NodeIndex a{};
  NodeIndex b{};
  Fault fault = Fault::kSlow;
  double ratio = 0;  // of what its two ends reach with others; 0 unless slow
  double confidence = 0;
  std::string evidence;
};

// One of these is at fault, or what lies between them: no accusation of any one of them.
struct OneOf {
  std::vector<NodeIndex> nodes;
  Fault fault = Fault::kSlow;
  std::vector<LocalRank> suspect_gpus;
  std::string evidence;
};

enum class Decision { kGo, kWarn, kStop, kNotMeasured };

std::string_view to_string(Decision decision);  // "go", "warn", "stop", "could not measure"; static

struct Verdict {
  Decision decision = Decision::kNotMeasured;
  std::string line;  // one line for the log, with numbers
  std::vector<UnfitNode> unfit;
  std::vector<BadLink> links;
  std::vector<OneOf> one_of;
  std::vector<NodeIndex> doubtful;  // below what is expected, not surely; nobody is evicted for it
  std::vector<NodeIndex> unmeasured;  // neither slow nor fine
  std::vector<NodeIndex> odd;         // measured by another algorithm than most
  std::vector<std::string> evidence;  // in the order to read them
  std::uint32_t rounds = 0;
};

}  // namespace muster::bench::localise
