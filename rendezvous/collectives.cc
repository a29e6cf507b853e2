#include "rendezvous/collectives.h"

#include "rendezvous/text.h"

namespace muster::rendezvous {

namespace {

std::string noun(const Arrive& arrival) {
  return std::string(to_string(arrival.kind)) + " \"" + arrival.name + "\"";
}

Message failure_message(const std::string& name, const Error& error) {
  return CollectiveFailed{name, error.code(), clipped(error.message(), kMaxText)};
}

}  // namespace

Collectives::Collectives(std::vector<std::string> names) : names_(std::move(names)) {}

Collectives::Announcements Collectives::arrive(MemberIndex from, Arrive arrival) {
  const std::string name = arrival.name;
  auto entry = open_.find(name);
  if (entry == open_.end()) {
    std::optional<Error> error;
    if (!gone_.empty()) {
      const auto& [member, how] = *gone_.begin();
      error = Error(ErrorCode::kUnavailable,
                    noun(arrival) + ": " + names_[value_of(member)] + " " + how);
    } else if (open_.size() >= kMaxCollectives) {
      error = Error(ErrorCode::kLimit, noun(arrival) + ": 4096 collectives are open");
    } else if (value_of(arrival.root) >= names_.size()) {
      error = Error(ErrorCode::kInvalidArgument,
                    noun(arrival) + ": no member " + std::to_string(value_of(arrival.root)));
    }
    if (error) return {{{from}, failure_message(name, *error)}};
    entry = open_.emplace(name, begin(arrival)).first;
  }
  Collective& collective = entry->second;
  Announcements announcements;
  const std::optional<Error> wrong = mismatch(from, collective, arrival);
  if (!collective.arrived[value_of(from)]) {
    collective.arrived[value_of(from)] = true;
    ++collective.arrivals;
  }
  if (collective.error) {
    announcements.push_back({{from}, failure_message(name, *collective.error)});
  } else if (wrong) {
    announcements.push_back(fail(collective, *wrong));
  } else {
    contribute(from, collective, std::move(arrival.bytes));
    if (collective.arrivals == names_.size()) announcements.push_back(complete(collective));
  }
  if (is_heard_by_all(collective)) open_.erase(entry);
  return announcements;
}

Collectives::Announcements Collectives::give_up(MemberIndex from, const GiveUp& give_up) {
  const auto entry = open_.find(give_up.name);
  if (entry == open_.end() || entry->second.error || !entry->second.arrived[value_of(from)])
    return {};
  Collective& collective = entry->second;
  const Missing absent = missing(give_up.name);
  std::string text = noun(collective.first) + ": " + names_[value_of(from)] +
                     " gave up waiting for " + std::to_string(absent.count) + " of " +
                     std::to_string(names_.size()) + " members";
  for (std::size_t i = 0; i < absent.first.size(); ++i)
    text += (i == 0 ? ": " : ", ") + absent.first[i];
  return {fail(collective, Error(ErrorCode::kTimeout, text))};
}

Collectives::Announcements Collectives::drop_member(MemberIndex member, const std::string& how) {
  gone_.emplace(member, how);
  Announcements announcements;
  for (auto entry = open_.begin(); entry != open_.end();) {
    Collective& collective = entry->second;
    if (!collective.error) {
      announcements.push_back(fail(
          collective, Error(ErrorCode::kUnavailable,
                            noun(collective.first) + ": " + names_[value_of(member)] + " " + how)));
    }
    entry = is_heard_by_all(collective) ? open_.erase(entry) : std::next(entry);
  }
  return announcements;
}

Missing Collectives::missing(const std::string& name) const {
  Missing absent{name, 0, {}};
  const auto entry = open_.find(name);
  if (entry == open_.end()) return absent;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (entry->second.arrived[i]) continue;
    ++absent.count;
    if (absent.first.size() < kMaxMissingNamed) absent.first.push_back(names_[i]);
  }
  return absent;
}

Collectives::Collective Collectives::begin(const Arrive& arrival) const {
  Collective collective;
  collective.first = {arrival.kind, arrival.name, arrival.root, ""};
  collective.arrived.resize(names_.size());
  if (arrival.kind == CollectiveKind::kAllGather) collective.values.resize(names_.size());
  if (arrival.kind == CollectiveKind::kBroadcast) collective.values.resize(1);
  return collective;
}

std::optional<Error> Collectives::mismatch(MemberIndex from, const Collective& collective,
                                           const Arrive& arrival) const {
  const Arrive& first = collective.first;
  const std::string who = noun(first) + ": " + names_[value_of(from)];
  if (arrival.kind != first.kind) {
    return Error(ErrorCode::kInvalidArgument,
                 who + " calls it as " + std::string(to_string(arrival.kind)));
  }
  if (arrival.root != first.root)
    return Error(ErrorCode::kInvalidArgument, who + " names another root");
  if (!collective.error && collective.arrived[value_of(from)])
    return Error(ErrorCode::kInvalidArgument, who + " calls it a second time");
  if (collective.bytes + arrival.bytes.size() + 4 > kMaxGather)
    return Error(ErrorCode::kLimit, who + " makes the whole longer than 64 MiB");
  return std::nullopt;
}

void Collectives::contribute(MemberIndex from, Collective& collective, std::string bytes) const {
  collective.bytes += bytes.size() + 4;
  if (collective.first.kind == CollectiveKind::kAllGather)
    collective.values[value_of(from)] = std::move(bytes);
  if (collective.first.kind == CollectiveKind::kBroadcast && collective.first.root == from)
    collective.values[0] = std::move(bytes);
}

Collectives::Announcement Collectives::complete(Collective& collective) const {
  return {arrived(collective), CollectiveDone{collective.first.name, std::move(collective.values)}};
}

Collectives::Announcement Collectives::fail(Collective& collective, Error error) const {
  collective.values.clear();
  collective.error = std::move(error);
  return {arrived(collective), failure_message(collective.first.name, *collective.error)};
}

std::vector<MemberIndex> Collectives::arrived(const Collective& collective) const {
  std::vector<MemberIndex> members;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const MemberIndex member{static_cast<std::uint32_t>(i)};
    if (collective.arrived[i] && !gone_.contains(member)) members.push_back(member);
  }
  return members;
}

bool Collectives::is_heard_by_all(const Collective& collective) const {
  std::size_t heard = collective.arrivals;
  for (const auto& [member, how] : gone_)
    if (!collective.arrived[value_of(member)]) ++heard;
  return heard == names_.size();
}

}  // namespace muster::rendezvous
