#include "collectives-bench/localise/localiser.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "rendezvous/base/check.h"

namespace muster::bench::localise {

namespace {

constexpr std::size_t kTroublesToSitOut = 2;
constexpr std::size_t kMostRailControls = 2;
constexpr double kShareOfLevel = 0.25;  // that a deadline counts on

Status check_cluster(const Cluster& cluster) {
  if (cluster.hosts.empty() || cluster.hosts.size() > kMostNodes) {
    return failure(ErrorCode::kInvalidArgument, fmt::format("localise: {} nodes, expected 1 to {}",
                                                            cluster.hosts.size(), kMostNodes));
  }
  if (cluster.local_ranks == 0 || cluster.local_ranks > kMostLocalRanks) {
    return failure(ErrorCode::kInvalidArgument,
                   fmt::format("localise: {} local ranks, expected 1 to {}", cluster.local_ranks,
                               kMostLocalRanks));
  }
  for (const NodeIndex node : cluster.seen_bad_before) {
    if (value_of(node) < cluster.hosts.size()) continue;
    return failure(ErrorCode::kInvalidArgument,
                   fmt::format("localise: node {} was seen bad before, but there are {} nodes",
                               value_of(node), cluster.hosts.size()));
  }
  return {};
}

}  // namespace

std::string_view to_string(Localiser::State state) {
  switch (state) {
    case Localiser::State::kBegin:
      return "begin";
    case Localiser::State::kIntra:
      return "intra";
    case Localiser::State::kWorld:
      return "world";
    case Localiser::State::kPairs:
      return "pairs";
    case Localiser::State::kConfirm:
      return "confirm";
    case Localiser::State::kRails:
      return "rails";
    case Localiser::State::kRepeat:
      return "repeat";
    case Localiser::State::kDone:
      return "done";
  }
  return "unknown";
}

Localiser::Localiser(Cluster cluster, Settings settings) {
  found_.active.resize(cluster.hosts.size());
  std::iota(found_.active.begin(), found_.active.end(), 0u);
  found_.cluster = std::move(cluster);
  found_.settings = std::move(settings);
}

Result<Localiser> Localiser::create(Cluster cluster, Settings settings) {
  MUSTER_RETURN_IF_ERROR(check_cluster(cluster));
  return Localiser(std::move(cluster), std::move(settings));
}

std::uint32_t Localiser::most_rounds(const Rules& rules) {
  const std::uint32_t rails = std::max(rules.rail_rounds, rules.noisy_rail_rounds);
  const std::uint32_t confirm = std::max(rules.confirm_rounds, rules.noisy_confirm_rounds);
  const std::uint32_t first = std::max(rules.pair_rounds, rules.noisy_pair_rounds) + confirm;
  const std::uint32_t others =
      rules.looks > 1 ? (rules.looks - 1) * (rules.pair_rounds + confirm) : 0;
  const std::uint32_t many = first + rules.world_repeats + others + rails;
  const std::uint32_t two_nodes = rules.world_repeats + rules.rail_rounds;
  return 1 + std::max(rules.intra_repeats, rules.noisy_intra_repeats) + 1 + rules.world_repeats +
         std::max(many, two_nodes);
}

Next Localiser::begin() {
  MUSTER_CHECK(state_ == State::kBegin);
  if (found_.cluster.local_ranks > 1) return order_intra();
  return order_world(State::kWorld, RoundKind::kWorld);
}

Next Localiser::step(std::vector<GroupOutcome> outcomes) {
  MUSTER_CHECK(outcomes.size() <= round_.groups.size());
  GroupOutcome missing;
  missing.text = "no outcome came back";
  outcomes.resize(round_.groups.size(), missing);
  ++found_.rounds;
  switch (state_) {
    case State::kIntra:
      found_.intra.add(round_, outcomes);
      return after_intra();
    case State::kWorld:
      found_.worlds.push_back(checked(outcomes.front()));
      return after_world();
    case State::kPairs:
      found_.pairs.add(round_, outcomes);
      return after_pairs();
    case State::kConfirm:
      found_.pairs.add(round_, outcomes);
      return after_confirm();
    case State::kRails:
      found_.rails.add(round_, outcomes);
      return after_rails();
    case State::kRepeat:
      found_.worlds.push_back(checked(outcomes.front()));
      return after_repeat();
    case State::kBegin:
    case State::kDone:
      break;
  }
  MUSTER_CHECK(!"step() without a round under way");
  return finish();
}

Next Localiser::after_intra() {
  const Settings& settings = found_.settings;
  const bool doubt = !found_.intra.outstanding(settings).empty();
  const std::uint32_t wanted = found_.intra.repeats_wanted(settings);
  // Where everybody hung, another round would hang as long.
  const bool all_hung = found_.intra.all_hung();
  if (doubt && !all_hung && found_.intra.rounds() < 1 + wanted) return order_intra();
  if (doubt) {
    // Who cannot carry a collective alone would only slow or hang the others.
    std::erase_if(found_.active, [&](std::uint32_t node) {
      const Standing standing = found_.intra.of_node(node, settings).standing;
      return standing == Standing::kUnfit || standing == Standing::kUnmeasured;
    });
  }
  return order_world(State::kWorld, RoundKind::kWorld);
}

Next Localiser::after_world() {
  const bool poor = world_is_poor(found_);
  if (!poor && world_is_close(found_) &&
      found_.worlds.size() < 1 + found_.settings.rules.world_repeats) {
    return order_world(State::kWorld, RoundKind::kWorld);
  }
  if (found_.active.size() == 2) {
    return poor ? order_world(State::kRepeat, RoundKind::kRepeat) : finish();
  }
  const Rules& rules = found_.settings.rules;
  const bool unknown = rules.pairs_unknown && !found_.settings.world_expected.known();
  return poor || unknown || rules.pairs_always ? order_pairs() : finish();
}

Verdict Localiser::conclude() const {
  return draw_verdict(found_);
}

std::uint32_t Localiser::pair_rounds_wanted() const {
  const Rules& rules = found_.settings.rules;
  if (pair_rounds_ < rules.quiet_pair_rounds) return rules.quiet_pair_rounds;
  if (looks_ > 1) return rules.pair_rounds;
  const auto nodes = static_cast<std::uint32_t>(found_.cluster.hosts.size());
  const NodeFit fit = fit_nodes(nodes, found_.pairs.samples(), rules.screen);
  // Up to a handful of nodes all pairs are soon measured, and few numbers tell little of the noise.
  const bool few = found_.active.size() < rules.pair_rounds;
  if (few && fit.noise > rules.usual) return rules.noisy_pair_rounds;
  return fit.noise <= rules.quiet && !few ? rules.quiet_pair_rounds : rules.pair_rounds;
}

Next Localiser::after_pairs() {
  ++pair_rounds_;
  const Rules& rules = found_.settings.rules;
  if (pair_rounds_ < pair_rounds_wanted()) return order_pairs();
  const auto nodes = static_cast<std::uint32_t>(found_.cluster.hosts.size());
  found_.fit = fit_nodes(nodes, found_.pairs.samples(), rules.screen);
  std::vector<std::uint32_t> seen_bad;
  for (const NodeIndex node : found_.cluster.seen_bad_before) seen_bad.push_back(value_of(node));
  Suspects suspects = find_suspects(found_.pairs, found_.fit, found_.active, rules);
  if (looks_ > 1 && suspects.empty()) suspect_slowest_link(suspects, found_.pairs, found_.fit);
  found_.confirmation.emplace(std::move(suspects), found_.fit, found_.pairs, found_.active,
                              seen_bad, rules);
  const std::vector<Pair> pairs = found_.confirmation->plan(found_.pairs, 0);
  if (!pairs.empty()) return order_confirm(pairs);
  return nobody_found();
}

Next Localiser::after_confirm() {
  ++confirm_rounds_;
  if (confirm_rounds_ < found_.confirmation->rounds_wanted(found_.pairs)) {
    const std::vector<Pair> pairs = found_.confirmation->plan(found_.pairs, confirm_rounds_);
    if (!pairs.empty()) return order_confirm(pairs);
  }
  const std::vector<Pair> rails = rail_pairs();
  if (!rails.empty()) return order_rails(rails);
  const Verdict verdict = draw_verdict(found_);
  const bool found = !verdict.unfit.empty() || !verdict.links.empty();
  return found ? finish() : nobody_found();
}

Next Localiser::nobody_found() {
  if (!world_is_poor(found_)) return finish();
  if (looks_ == 1) return order_world(State::kRepeat, RoundKind::kRepeat);
  return another_look_may_tell() ? look_again() : finish();
}

// A world that is poor each time has a culprit or is slow as a whole. With much noise the numbers
// may have hidden him: a suspect that was cleared, a link that was fast by chance the one time it
// was measured, a pair taken for the reference that was not the fastest.
bool Localiser::another_look_may_tell() const {
  const Rules& rules = found_.settings.rules;
  if (looks_ >= rules.looks || found_.active.size() < 3) return false;
  if (!world_busbw(found_) || !world_is_poor(found_)) return false;
  double noise = found_.fit.noise;
  if (found_.confirmation) {
    noise = std::max(noise, found_.confirmation->reference(found_.pairs).noise);
  }
  return noise > rules.quiet;
}

Next Localiser::look_again() {
  ++looks_;
  pair_rounds_ = 0;
  confirm_rounds_ = 0;
  found_.pairs.begin_again();
  found_.confirmation.reset();
  return order_pairs();
}

Next Localiser::after_rails() {
  const auto& confirmation = found_.confirmation;
  const std::uint32_t wanted = confirmation ? confirmation->rail_rounds_wanted(found_.pairs)
                                            : found_.settings.rules.rail_rounds;
  if (found_.rails.rounds() < wanted) return order_rails(rail_pairs());
  return finish();
}

Next Localiser::after_repeat() {
  const Rules& rules = found_.settings.rules;
  if (found_.worlds.size() < 1 + rules.world_repeats) {
    return order_world(State::kRepeat, RoundKind::kRepeat);
  }
  const bool slow = world_busbw(found_).has_value() && world_is_poor(found_);
  if (found_.active.size() == 2 && slow && found_.cluster.local_ranks > 1) {
    return order_rails(rail_pairs());
  }
  return another_look_may_tell() ? look_again() : finish();
}

// Slow nodes with good partners, another one each time, and two pairs of good nodes beside them.
std::vector<Pair> Localiser::rail_pairs() const {
  std::vector<Pair> pairs;
  if (found_.cluster.local_ranks < 2 || found_.settings.rules.rail_rounds == 0) return pairs;
  if (found_.active.size() == 2) return {{found_.active[0], found_.active[1]}};
  if (!found_.confirmation) return pairs;
  std::vector<std::uint32_t> good = found_.confirmation->good();
  if (good.empty()) return pairs;
  const std::size_t turn = (found_.rails.rounds() * 2 + 1) % good.size();
  std::rotate(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(turn), good.end());
  const Opinions opinions = found_.confirmation->opinions(found_.pairs, true);
  for (const auto& [node, opinion] : opinions.nodes) {
    if (opinion.standing != Standing::kUnfit || opinion.fault != Fault::kSlow) continue;
    if (good.empty()) break;
    pairs.push_back(std::minmax(node, good.back()));
    good.pop_back();
  }
  if (pairs.empty()) return pairs;
  for (std::size_t i = 0; i < kMostRailControls && good.size() >= 2; ++i) {
    const std::uint32_t one = good.back();
    good.pop_back();
    pairs.push_back(std::minmax(one, good.back()));
    good.pop_back();
  }
  return pairs;
}

Member Localiser::whole(std::uint32_t node) const {
  Member member;
  member.node = NodeIndex{node};
  for (std::uint32_t rank = 0; rank < found_.cluster.local_ranks; ++rank) {
    member.local_ranks.push_back(LocalRank{rank});
  }
  return member;
}

// A ring over all nodes crosses the links that pairs have to themselves.
std::optional<double> Localiser::level_of_pairs() const {
  const std::optional<double> level = found_.pairs.level();
  return level ? level : world_busbw(found_);
}

Next Localiser::order(State state, RoundKind kind, const Work& work, std::vector<Group> groups,
                      const Expectation& expected, std::optional<double> level) {
  MUSTER_CHECK(!groups.empty());
  state_ = state;
  std::optional<double> busbw = expected.lowest();
  // Where nothing is expected, a round counts on what others of its kind reached: one that hangs
  // must not take all the time.
  if (!busbw && level) busbw = *level * kShareOfLevel;
  // The rails of a node share what the node reaches.
  if (busbw && kind == RoundKind::kRails) *busbw /= found_.cluster.local_ranks;
  round_.kind = kind;
  round_.number = found_.rounds;
  round_.work = work;
  round_.deadline =
      round_deadline(kind, work, rank_count(groups.front()), busbw, found_.settings.deadline);
  round_.groups = std::move(groups);
  return round_;
}

Next Localiser::order_intra() {
  std::vector<Group> groups;
  for (const std::uint32_t node : found_.active) groups.push_back({{whole(node)}});
  const Settings& settings = found_.settings;
  return order(State::kIntra, RoundKind::kIntra, settings.intra, std::move(groups),
               settings.intra_expected, found_.intra.level());
}

Next Localiser::order_world(State state, RoundKind kind) {
  if (found_.active.size() < 2) return finish();
  Group all;
  for (const std::uint32_t node : found_.active) all.members.push_back(whole(node));
  found_.world = all;
  const Settings& settings = found_.settings;
  const auto level = kind == RoundKind::kRepeat ? world_busbw(found_) : std::nullopt;
  return order(state, kind, settings.world, {std::move(all)}, settings.world_expected, level);
}

Next Localiser::order_pairs() {
  const auto nodes = static_cast<std::uint32_t>(found_.active.size());
  // What slowed the world is in its ring: another look is at that.
  const std::uint32_t turn = looks_ == 1 ? pair_rounds_ : pair_rounds_ % ring_length(nodes);
  const Pairing pairing = first_pairings(nodes, turn + 1).back();
  std::vector<Group> groups;
  for (const auto& [a, b] : pairing) {
    const std::uint32_t one = found_.active[a];
    const std::uint32_t other = found_.active[b];
    if (found_.pairs.troubles(one) >= kTroublesToSitOut) continue;
    if (found_.pairs.troubles(other) >= kTroublesToSitOut) continue;
    groups.push_back({{whole(one), whole(other)}});
  }
  const Settings& settings = found_.settings;
  if (groups.empty()) {  // everybody is in trouble: more of the same tells nothing
    pair_rounds_ = std::max(settings.rules.pair_rounds, settings.rules.noisy_pair_rounds);
    return after_pairs();
  }
  return order(State::kPairs, RoundKind::kPairs, settings.pairs, std::move(groups),
               settings.pairs_expected, level_of_pairs());
}

Next Localiser::order_confirm(const std::vector<Pair>& pairs) {
  std::vector<Group> groups;
  for (const auto& [a, b] : pairs) groups.push_back({{whole(a), whole(b)}});
  const Settings& settings = found_.settings;
  return order(State::kConfirm, RoundKind::kConfirm, settings.pairs, std::move(groups),
               settings.pairs_expected, level_of_pairs());
}

Next Localiser::order_rails(const std::vector<Pair>& pairs) {
  const Settings& settings = found_.settings;
  return order(State::kRails, RoundKind::kRails, settings.rails,
               rail_groups(pairs, found_.cluster.local_ranks), settings.pairs_expected,
               level_of_pairs());
}

Next Localiser::finish() {
  state_ = State::kDone;
  return draw_verdict(found_);
}

}  // namespace muster::bench::localise
