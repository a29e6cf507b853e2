// Confirmation: stage two. Suspects meet known-good partners until each is unfit or cleared. Pure.
//
// Nothing that was seen before counts against a suspect's speed here: it was chosen for that.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collectives-bench/localise/decide.h"
#include "collectives-bench/localise/suspects.h"
#include "collectives-bench/localise/verdict.h"

namespace muster::bench::localise {

enum class Standing {
  kUndecided,  // more rounds may tell
  kUnfit,
  kCleared,
  kDoubtful,    // the rounds are used up; probably slow, not surely
  kUnmeasured,  // no number could be had
  kOdd,         // measured by another algorithm than most
};

struct Opinion {
  Standing standing = Standing::kUndecided;
  Fault fault = Fault::kSlow;
  Belief belief;
  double busbw = 0;          // GB/s, when measured
  std::size_t partners = 0;  // different ones behind it
  std::size_t times = 0;     // of a hang or wrong data
  std::string text;          // what was last said of a failure
};

struct Opinions {
  std::map<std::uint32_t, Opinion> nodes;  // of every suspect
  std::map<Pair, Opinion> links;           // whose ends are not unfit
};

// What good nodes reach among themselves.
struct Reference {
  double busbw = 0;
  double noise = kLeastNoise;
  std::size_t samples = 0;
  std::size_t noise_samples = 0;  // that told the noise
};

class Confirmation {
 public:
  // `fit` is stage one's. `seen_bad` are suspects in any case, with a higher prior.
  Confirmation(Suspects suspects, NodeFit fit, const PairRecord& record,
               const std::vector<std::uint32_t>& active, std::vector<std::uint32_t> seen_bad,
               const Rules& rules);

  const std::vector<std::uint32_t>& good() const { return good_; }
  bool is_good(std::uint32_t node) const { return good_set_[node]; }

  // The disjoint pairs of the next round; empty when all are decided or nobody is known good.
  // `done` is the number of confirm rounds so far.
  std::vector<Pair> plan(const PairRecord& record, std::uint32_t done) const;

  // How many rounds the noise seen so far is worth, of those that tell slow nodes, and of rails.
  std::uint32_t rounds_wanted(const PairRecord& record) const;
  std::uint32_t rail_rounds_wanted(const PairRecord& record) const;

  // `last`: no more rounds will come.
  Opinions opinions(const PairRecord& record, bool last) const;
  Reference reference(const PairRecord& record) const;

 private:
  struct Task {
    Pair ends;  // of a node the same twice
    std::size_t tries = 0;
    bool is_node() const { return ends.first == ends.second; }
  };

  void choose_good(const PairRecord& record, const std::vector<std::uint32_t>& active);
  std::vector<Task> open_tasks(const PairRecord& record) const;
  const std::uint32_t* choose_partner(const PairRecord& record, std::uint32_t node,
                                      const std::vector<bool>& used, std::uint32_t done) const;
  void add_controls(std::vector<Pair>& pairs, std::vector<bool>& used, std::size_t most,
                    std::uint32_t done) const;

  Opinion of_node(const PairRecord& record, const Reference& level, std::uint32_t node,
                  bool last) const;
  Opinion repeated_trouble(const PairRecord& record, std::uint32_t node) const;
  Opinion of_link(const PairRecord& record, const Reference& level, const Pair& link,
                  const Opinions& known, bool last) const;
  std::vector<Pair> suspect_links(const PairRecord& record, const Reference& level,
                                  const Opinions& opinions) const;
  Opinion conclude_speed(Opinion opinion, const std::vector<double>& ratios, std::size_t seen,
                         const Reference& level, double prior, bool last) const;
  std::vector<double> partner_ratios(const PairRecord& record, std::uint32_t node, double reference,
                                     std::size_t& seen) const;
  bool is_suspect(const Pair& link) const;
  std::size_t node_tries(const PairRecord& record, std::uint32_t node) const;
  bool is_slower_than_its_ends(const PairRecord& record, const Pair& link) const;
  double prior_of(std::uint32_t node) const;

  Suspects suspects_;
  NodeFit fit_;
  std::vector<std::uint32_t> good_;
  std::vector<bool> good_set_;
  std::vector<std::uint32_t> seen_bad_;
  Rules rules_;
  double prior_ = 0;
};

}  // namespace muster::bench::localise
