#include "collectives-bench/localise/confirm.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace muster::bench::localise {

namespace {

constexpr std::size_t kMostControls = 8;
constexpr std::size_t kEnoughControls = 6;  // samples that stand alone, without stage one's
constexpr std::uint32_t kControlEvery = 3;  // rounds, where all good nodes have suspects to meet

bool contains(const std::vector<std::uint32_t>& nodes, std::uint32_t node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::size_t confirm_tries(const PairRecord& record, const Pair& ends) {
  std::size_t count = 0;
  for (const Observation* seen : record.of(ends.first)) {
    count += seen->confirm && seen->of(ends.second) ? 1 : 0;
  }
  return count;
}

}  // namespace

Confirmation::Confirmation(Suspects suspects, NodeFit fit, const PairRecord& record,
                           const std::vector<std::uint32_t>& active,
                           std::vector<std::uint32_t> seen_bad, const Rules& rules)
    : suspects_(std::move(suspects)),
      fit_(std::move(fit)),
      seen_bad_(std::move(seen_bad)),
      rules_(rules) {
  for (const std::uint32_t node : seen_bad_) {
    if (contains(active, node) && !contains(suspects_.nodes, node)) {
      suspects_.nodes.push_back(node);
    }
  }
  std::sort(suspects_.nodes.begin(), suspects_.nodes.end());
  prior_ = prior_among(suspects_.nodes.size() + suspects_.links.size());
  choose_good(record, active);
  good_set_.assign(fit_.good.size(), false);
  for (const std::uint32_t node : good_) good_set_[node] = true;
}

// The fastest pair proves both its ends: where too few are beyond suspicion, these two are the
// reference.
void Confirmation::choose_good(const PairRecord& record, const std::vector<std::uint32_t>& active) {
  for (const std::uint32_t node : active) {
    if (fit_.good[node] && !contains(suspects_.nodes, node)) good_.push_back(node);
  }
  if (good_.size() >= 2) return;
  const Observation* fastest = nullptr;
  for (const Observation& seen : record.observations()) {
    if (!record.comparable(seen)) continue;
    if (fastest == nullptr || seen.busbw > fastest->busbw) fastest = &seen;
  }
  if (fastest == nullptr) return;
  for (const std::uint32_t node : {fastest->a, fastest->b}) {
    if (!contains(good_, node)) good_.push_back(node);
    std::erase(suspects_.nodes, node);
  }
  std::sort(good_.begin(), good_.end());
}

double Confirmation::prior_of(std::uint32_t node) const {
  return contains(seen_bad_, node) ? std::max(prior_, rules_.prior_seen_bad) : prior_;
}

bool Confirmation::is_suspect(const Pair& link) const {
  return std::binary_search(suspects_.links.begin(), suspects_.links.end(), link);
}

std::vector<Confirmation::Task> Confirmation::open_tasks(const PairRecord& record) const {
  std::vector<Task> tasks;
  const Opinions now = opinions(record, false);
  for (const auto& [node, opinion] : now.nodes) {
    if (opinion.standing != Standing::kUndecided) continue;
    tasks.push_back({{node, node}, confirm_tries(record, {node, node})});
  }
  for (const auto& [link, opinion] : now.links) {
    if (opinion.standing != Standing::kUndecided) continue;
    tasks.push_back({link, confirm_tries(record, link)});
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& x, const Task& y) {
    return std::make_tuple(x.tries, !x.is_node()) < std::make_tuple(y.tries, !y.is_node());
  });
  return tasks;
}

// The free good node that it met least, by turns.
const std::uint32_t* Confirmation::choose_partner(const PairRecord& record, std::uint32_t node,
                                                  const std::vector<bool>& used,
                                                  std::uint32_t done) const {
  std::map<std::uint32_t, std::size_t> met;
  for (const Observation* seen : record.of(node)) {
    met[seen->partner_of(node)] += seen->confirm ? 1000 : 1;
  }
  const std::uint32_t* best = nullptr;
  std::size_t least = 0;
  for (std::size_t i = 0; i < good_.size(); ++i) {
    const std::uint32_t& candidate = good_[(i + node + done) % good_.size()];
    if (used[candidate] || candidate == node) continue;
    const auto times = met.find(candidate);
    const std::size_t count = times == met.end() ? 0 : times->second;
    if (best == nullptr || count < least) {
      best = &candidate;
      least = count;
    }
  }
  return best;
}

void Confirmation::add_controls(std::vector<Pair>& pairs, std::vector<bool>& used, std::size_t most,
                                std::uint32_t done) const {
  std::vector<std::uint32_t> free;
  for (std::size_t i = 0; i < good_.size(); ++i) {
    const std::uint32_t node = good_[(i + done) % good_.size()];
    if (!used[node]) free.push_back(node);
  }
  const std::size_t half = free.size() / 2;
  for (std::size_t i = 0; i < half && i < most; ++i) {
    // Far from each other in the order: neighbours met in stage one.
    const Pair pair = std::minmax(free[i], free[i + half]);
    if (is_suspect(pair)) continue;
    pairs.push_back(pair);
    used[pair.first] = used[pair.second] = true;
  }
}

std::vector<Pair> Confirmation::plan(const PairRecord& record, std::uint32_t done) const {
  std::vector<Pair> pairs;
  if (good_.size() < 2) return pairs;
  const std::vector<Task> tasks = open_tasks(record);
  if (tasks.empty()) return pairs;
  std::vector<bool> used(fit_.good.size());
  const bool crowded = good_.size() < tasks.size() + 2;
  if (crowded && done % kControlEvery == kControlEvery - 1) add_controls(pairs, used, 1, done);
  for (const Task& task : tasks) {
    auto [a, b] = task.ends;
    if (used[a] || used[b]) continue;
    if (task.is_node()) {
      const std::uint32_t* partner = choose_partner(record, a, used, done);
      if (partner == nullptr) continue;
      b = *partner;
    }
    used[a] = used[b] = true;
    pairs.push_back(std::minmax(a, b));
  }
  add_controls(pairs, used, kMostControls, done);
  return pairs;
}

// Noise shows in the pairs of good nodes, and in how a suspect's own samples scatter.
Reference Confirmation::reference(const PairRecord& record) const {
  std::vector<double> now;
  std::vector<double> all;
  for (const Observation& seen : record.observations()) {
    if (!record.comparable(seen) || !is_good(seen.a) || !is_good(seen.b)) continue;
    if (is_suspect(std::minmax(seen.a, seen.b))) continue;
    all.push_back(seen.busbw);
    if (seen.confirm) now.push_back(seen.busbw);
  }
  if (all.empty()) return {fit_.reference, fit_.noise, fit_.reference_samples};
  std::vector<double> distances = distances_to(all, median(all));
  for (const std::uint32_t node : suspects_.nodes) {
    std::size_t seen = 0;
    const std::vector<double> ratios = partner_ratios(record, node, 1, seen);
    if (ratios.size() < rules_.confirm_samples) continue;
    const std::vector<double> own = distances_to(ratios, median(ratios));
    distances.insert(distances.end(), own.begin(), own.end());
  }
  const std::vector<double>& used = now.size() >= kEnoughControls ? now : all;
  const double noise = robust_noise(std::move(distances));
  return {robust_mean(used, noise * median(used)), noise, used.size()};
}

// The slowest of its partners does not count: the link between the two may be at fault.
std::vector<double> Confirmation::partner_ratios(const PairRecord& record, std::uint32_t node,
                                                 double reference, std::size_t& seen) const {
  std::map<std::uint32_t, std::vector<double>> by_partner;
  for (const Observation* one : record.of(node)) {
    if (!one->confirm || !record.comparable(*one) || !is_good(one->partner_of(node))) continue;
    by_partner[one->partner_of(node)].push_back(one->busbw / reference);
    ++seen;
  }
  if (by_partner.size() >= 2) {
    by_partner.erase(std::min_element(
        by_partner.begin(), by_partner.end(),
        [](const auto& a, const auto& b) { return median(a.second) < median(b.second); }));
  }
  std::vector<double> ratios;
  for (const auto& [partner, values] : by_partner) {
    ratios.insert(ratios.end(), values.begin(), values.end());
  }
  return ratios;
}

Opinion Confirmation::conclude_speed(Opinion opinion, const std::vector<double>& ratios,
                                     std::size_t seen, const Reference& level, double prior,
                                     bool last) const {
  opinion.belief = believe_slow(ratios, seen, level.noise, level.samples, {rules_.slow, prior});
  opinion.busbw = opinion.belief.ratio * level.busbw;
  const double confidence = opinion.belief.confidence;
  if (seen >= rules_.confirm_samples) {
    if (confidence >= rules_.sure) opinion.standing = Standing::kUnfit;
    if (confidence <= rules_.cleared) opinion.standing = Standing::kCleared;
  }
  if (opinion.standing != Standing::kUndecided || !last || ratios.empty()) return opinion;
  const bool witnessed = seen >= rules_.confirm_samples;
  opinion.standing = confidence >= rules_.enough && witnessed ? Standing::kUnfit
                     : confidence >= 0.5                      ? Standing::kDoubtful
                                                              : Standing::kCleared;
  return opinion;
}

// Wrong data or a hang with two different partners, once more after it became a suspect.
Opinion Confirmation::repeated_trouble(const PairRecord& record, std::uint32_t node) const {
  Opinion opinion;
  for (const auto& [kind, fault] : {std::pair{OutcomeKind::kWrongData, Fault::kWrongData},
                                    std::pair{OutcomeKind::kHung, Fault::kHung}}) {
    std::set<std::uint32_t> partners;
    bool again = false;
    opinion.times = 0;
    for (const Observation* seen : record.of(node)) {
      if (seen->kind != kind || !seen->blames(node)) continue;
      ++opinion.times;
      partners.insert(seen->partner_of(node));
      again = again || (seen->confirm && is_good(seen->partner_of(node)));
      opinion.text = seen->text;
    }
    if (!again || partners.size() < 2) continue;
    opinion.standing = Standing::kUnfit;
    opinion.fault = fault;
    opinion.partners = partners.size();
    opinion.belief.confidence = confidence_of_repeats(opinion.times);
    return opinion;
  }
  return {};
}

Opinion Confirmation::of_node(const PairRecord& record, const Reference& level, std::uint32_t node,
                              bool last) const {
  Opinion opinion = repeated_trouble(record, node);
  if (opinion.standing == Standing::kUnfit) return opinion;
  std::set<std::uint32_t> partners;
  std::size_t tries = 0;
  bool odd = false;
  bool troubled = false;
  for (const Observation* seen : record.of(node)) {
    if (!seen->confirm) continue;
    ++tries;
    odd = odd || record.is_odd(*seen);
    troubled =
        troubled || seen->kind == OutcomeKind::kHung || seen->kind == OutcomeKind::kWrongData;
    if (seen->blames(node)) opinion.text = seen->text;
    if (!record.comparable(*seen) || !is_good(seen->partner_of(node))) continue;
    partners.insert(seen->partner_of(node));
  }
  opinion.partners = partners.size();
  if (partners.empty() && (last || tries >= rules_.confirm_samples)) {
    opinion.standing = odd ? Standing::kOdd : Standing::kUnmeasured;
    if (troubled) opinion.standing = last ? Standing::kDoubtful : Standing::kUndecided;
    return opinion;
  }
  std::size_t seen = 0;
  const std::vector<double> ratios = partner_ratios(record, node, level.busbw, seen);
  return conclude_speed(std::move(opinion), ratios, seen, level, prior_of(node), last);
}

Opinion Confirmation::of_link(const PairRecord& record, const Reference& level, const Pair& link,
                              bool last) const {
  Opinion opinion;
  std::vector<double> ratios;
  bool again = false;
  std::size_t tries = 0;
  for (const Observation* seen : record.of(link.first)) {
    if (!seen->of(link.second)) continue;
    if (seen->kind == OutcomeKind::kHung || seen->kind == OutcomeKind::kWrongData) {
      opinion.fault = seen->kind == OutcomeKind::kHung ? Fault::kHung : Fault::kWrongData;
      ++opinion.times;
      again = again || seen->confirm;
    }
    if (!seen->confirm) continue;
    ++tries;
    if (record.comparable(*seen)) ratios.push_back(seen->busbw / level.busbw);
  }
  if (again && opinion.times >= 2) {
    opinion.standing = Standing::kUnfit;
    opinion.belief.confidence = confidence_of_repeats(opinion.times);
    return opinion;
  }
  opinion.fault = Fault::kSlow;
  if (ratios.empty() && (last || tries >= rules_.confirm_samples)) {
    opinion.standing = Standing::kUnmeasured;
    return opinion;
  }
  return conclude_speed(std::move(opinion), ratios, ratios.size(), level, prior_, last);
}

// Stage one's, and those that were slow although both ends are good or turned out to be. A link
// with an unfit end is explained by it.
std::vector<Pair> Confirmation::suspect_links(const PairRecord& record, const Reference& level,
                                              const Opinions& opinions) const {
  const auto standing = [&](std::uint32_t node) {
    const auto place = opinions.nodes.find(node);
    return place == opinions.nodes.end() ? Standing::kCleared : place->second.standing;
  };
  std::set<Pair> links;
  for (const Pair& link : suspects_.links) {
    if (standing(link.first) != Standing::kUnfit && standing(link.second) != Standing::kUnfit) {
      links.insert(link);
    }
  }
  for (const auto& [node, opinion] : opinions.nodes) {
    if (opinion.standing != Standing::kCleared) continue;
    for (const Observation* seen : record.of(node)) {
      const std::uint32_t partner = seen->partner_of(node);
      // What was seen since is the test of it, and may not raise the suspicion.
      if (seen->confirm || !record.comparable(*seen)) continue;
      if (standing(partner) != Standing::kCleared) continue;
      if (seen->busbw < rules_.link_screen * level.busbw) links.insert(std::minmax(node, partner));
    }
  }
  return {links.begin(), links.end()};
}

Opinions Confirmation::opinions(const PairRecord& record, bool last) const {
  const Reference level = reference(record);
  Opinions opinions;
  for (const std::uint32_t node : suspects_.nodes) {
    opinions.nodes.emplace(node, of_node(record, level, node, last));
  }
  for (const Pair& link : suspect_links(record, level, opinions)) {
    opinions.links.emplace(link, of_link(record, level, link, last));
  }
  return opinions;
}

}  // namespace muster::bench::localise
