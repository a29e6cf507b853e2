#include "launcher/report/pair_grid.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace muster::report {

namespace {

using Places = std::pair<std::size_t, std::size_t>;

class HostIndex {
 public:
  explicit HostIndex(Texts& hosts) : hosts_(hosts) {}

  std::size_t place_of(const std::string& host) {
    const auto [entry, is_new] = places_.try_emplace(host, hosts_.size());
    if (is_new) hosts_.push_back(host);
    return entry->second;
  }

  Places ordered(const std::string& one, const std::string& other) {
    const std::size_t a = place_of(one);
    const std::size_t b = place_of(other);
    return std::minmax(a, b);
  }

 private:
  Texts& hosts_;
  std::unordered_map<std::string, std::size_t> places_;
};

struct Rounds {
  PairOutcome worst = PairOutcome::kMeasured;
  std::size_t times = 0;
  std::vector<double> figures;
};

struct Accused {
  std::set<std::size_t> nodes;
  std::set<Places> links;

  bool has(const PairCell& cell) const {
    return nodes.count(cell.a) > 0 || nodes.count(cell.b) > 0 || links.count({cell.a, cell.b}) > 0;
  }
};

Accused find_accused(const Document& document, HostIndex& index) {
  Accused accused;
  for (const std::vector<Suspect>* suspects : {&document.unfit, &document.one_of}) {
    for (const Suspect& suspect : *suspects) {
      for (const std::string& host : suspect.hosts) accused.nodes.insert(index.place_of(host));
    }
  }
  for (const Suspect& link : document.links) {
    if (link.hosts.size() != 2) continue;
    accused.links.insert(index.ordered(link.hosts[0], link.hosts[1]));
  }
  return accused;
}

void find_reference(const Accused& accused, PairGrid& grid) {
  std::vector<double> all;
  std::vector<double> good;
  for (const PairCell& cell : grid.cells) {
    if (cell.measured == 0) continue;
    all.push_back(cell.median);
    if (!accused.has(cell)) good.push_back(cell.median);
  }
  grid.is_of_good_pairs = !good.empty();
  grid.reference = median_of(good.empty() ? std::move(all) : std::move(good));
}

}  // namespace

PairGrid make_pair_grid(const Document& document, PairKind kind) {
  PairGrid grid;
  HostIndex index(grid.hosts);
  for (const Node& node : document.nodes) index.place_of(node.host);
  std::map<Places, Rounds> pairs;
  for (const PairResult& pair : document.pairs) {
    if (pair.is_rail != (kind == PairKind::kRails) || pair.a == pair.b) continue;
    Rounds& rounds = pairs[index.ordered(pair.a, pair.b)];
    rounds.worst = std::max(rounds.worst, pair.outcome);
    ++rounds.times;
    if (pair.outcome == PairOutcome::kMeasured) rounds.figures.push_back(pair.busbw);
  }
  for (auto& [places, rounds] : pairs) {
    const std::size_t measured = rounds.figures.size();
    grid.cells.push_back({places.first, places.second, rounds.worst, rounds.times, measured,
                          median_of(std::move(rounds.figures))});
  }
  find_reference(find_accused(document, index), grid);
  return grid;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace muster::report
