#include "collectives-bench/localise/confirm.h"

#include <algorithm>
#include <cmath>
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
  const auto by_pair = record.by_pair();
  if (by_pair.empty()) return;
  const auto fastest = std::max_element(
      by_pair.begin(), by_pair.end(),
      [](const auto& x, const auto& y) { return median(x.second) < median(y.second); });
  for (const std::uint32_t node : {fastest->first.first, fastest->first.second}) {
    if (!contains(good_, node)) good_.push_back(node);
    std::erase(suspects_.nodes, node);
  }
  std::erase(suspects_.links, fastest->first);
  std::sort(good_.begin(), good_.end());
}

double Confirmation::prior_of(std::uint32_t node) const {
  return contains(seen_bad_, node) ? std::max(prior_, rules_.prior_seen_bad) : prior_;
}

bool Confirmation::is_suspect(const Pair& link) const {
  return std::binary_search(suspects_.links.begin(), suspects_.links.end(), link);
}

// Rounds of a suspect link are its own: they say nothing of what the node is like with others.
std::size_t Confirmation::node_tries(const PairRecord& record, std::uint32_t node) const {
  std::size_t count = 0;
  for (const Observation* seen : record.of(node)) {
    count += seen->confirm && !is_suspect(std::minmax(seen->a, seen->b)) ? 1 : 0;
  }
  return count;
}

bool Confirmation::is_slower_than_its_ends(const PairRecord& record, const Pair& link) const {
  const auto pairs = record.by_pair();
  const auto seen = pairs.find(link);
  return seen != pairs.end() &&
         median(seen->second) < rules_.link_screen * rules_.slow * fit_.reference;
}

std::vector<Confirmation::Task> Confirmation::open_tasks(const PairRecord& record) const {
  std::vector<Task> tasks;
  const Opinions now = opinions(record, false);
  for (const auto& [node, opinion] : now.nodes) {
    if (opinion.standing != Standing::kUndecided) continue;
    tasks.push_back({{node, node}, node_tries(record, node)});
  }
  const auto open = [&](std::uint32_t node) {
    const auto place = now.nodes.find(node);
    return place != now.nodes.end() && place->second.standing == Standing::kUndecided;
  };
  for (const auto& [link, opinion] : now.links) {
    if (opinion.standing != Standing::kUndecided) continue;
    // An end in doubt meets others first: what it is like with them tells what the link adds. Where
    // the link is slower than a slow end would make it, it need not wait.
    const bool waits = open(link.first) || open(link.second);
    if (opinion.fault == Fault::kSlow && waits && !is_slower_than_its_ends(record, link)) continue;
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

// A suspect that is decided takes no more rounds, so this bounds the undecided. By how much the
// noise is above the usual is not asked: it is too often taken for too low.
std::uint32_t Confirmation::rounds_wanted(const PairRecord& record) const {
  const bool noisy = reference(record).noise > rules_.usual;
  return noisy ? rules_.noisy_confirm_rounds : rules_.confirm_rounds;
}

// The error of a mean falls with the root of the samples: twice the noise takes four times as many.
std::uint32_t Confirmation::rail_rounds_wanted(const PairRecord& record) const {
  const double share = std::pow(reference(record).noise / rules_.usual, 2);
  const double wanted = std::ceil(share * rules_.rail_rounds);
  const auto most = static_cast<double>(rules_.noisy_rail_rounds);
  return std::max(rules_.rail_rounds, static_cast<std::uint32_t>(std::min(wanted, most)));
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
  if (all.empty()) {
    return {fit_.reference, fit_.noise, fit_.reference_samples, fit_.reference_samples};
  }
  std::vector<double> distances = distances_to(all, median(all));
  const auto add_scatter = [&](const std::vector<double>& values) {
    if (values.size() < rules_.confirm_samples) return;
    const std::vector<double> scatter = distances_to(values, median(values));
    distances.insert(distances.end(), scatter.begin(), scatter.end());
  };
  for (const std::uint32_t node : suspects_.nodes) {
    std::size_t seen = 0;
    add_scatter(partner_ratios(record, node, 1, seen));
  }
  for (const auto& [link, values] : record.by_pair()) {
    if (!is_good(link.first) || !is_good(link.second) || is_suspect(link)) add_scatter(values);
  }
  const std::size_t told = distances.size();
  const double noise = robust_noise(std::move(distances));
  const bool own = !now.empty() && (noise > rules_.quiet || now.size() >= kEnoughControls);
  const std::vector<double>& used = own ? now : all;
  return {robust_mean(used, noise * median(used)), noise, used.size(), told};
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
  // Nor may one partner outvote the others, as one whose link is looked at again would.
  std::size_t most = 0;
  std::size_t next = 0;
  for (const auto& [partner, values] : by_partner) {
    next = std::max(next, std::min(most, values.size()));
    most = std::max(most, values.size());
  }
  std::vector<double> ratios;
  for (const auto& [partner, values] : by_partner) {
    const std::size_t count = next == 0 ? values.size() : std::min(next, values.size());
    ratios.insert(ratios.end(), values.begin(),
                  values.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return ratios;
}

Opinion Confirmation::conclude_speed(Opinion opinion, const std::vector<double>& ratios,
                                     std::size_t seen, const Reference& level, double prior,
                                     bool last) const {
  opinion.belief = believe_slow(ratios, seen, {level.noise, level.noise_samples}, level.samples,
                                {rules_.slow, prior});
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

// A slow link is one that is slower than its ends are with others. An end in doubt may be slow:
// what is not slower than that waits until both are fine.
Opinion Confirmation::of_link(const PairRecord& record, const Reference& level, const Pair& link,
                              const Opinions& known, bool last) const {
  double ends = 1;
  bool ends_are_fine = true;
  bool ends_are_known = true;
  for (const std::uint32_t end : {link.first, link.second}) {
    const auto place = known.nodes.find(end);
    if (place == known.nodes.end()) continue;
    const Opinion& end_opinion = place->second;
    const Belief& belief = end_opinion.belief;
    if (belief.ratio > 0) ends = std::min(ends, belief.ratio);
    if (end_opinion.standing == Standing::kCleared) continue;
    ends_are_fine = false;
    ends_are_known = ends_are_known && belief.samples >= rules_.confirm_samples;
    ends = std::min(ends, rules_.slow);
  }
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
    if (record.comparable(*seen)) ratios.push_back(seen->busbw / (ends * level.busbw));
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
  opinion = conclude_speed(std::move(opinion), ratios, ratios.size(), level, prior_, last);
  if (opinion.standing == Standing::kUnfit && !ends_are_fine && !ends_are_known) {
    opinion.standing = last ? Standing::kDoubtful : Standing::kUndecided;
  }
  return opinion;
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
  // What was seen since stage one is the test of it, and may not raise the suspicion.
  for (const auto& [link, values] : record.by_pair()) {
    const bool suspects = opinions.nodes.count(link.first) + opinions.nodes.count(link.second) > 0;
    if (!suspects || median(values) >= rules_.link_screen * level.busbw) continue;
    if (standing(link.first) != Standing::kCleared) continue;
    if (standing(link.second) == Standing::kCleared) links.insert(link);
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
    opinions.links.emplace(link, of_link(record, level, link, opinions, last));
  }
  return opinions;
}

}  // namespace muster::bench::localise
