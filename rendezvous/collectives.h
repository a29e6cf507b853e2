// Collectives: barriers, gathers and broadcasts over all members, matched by name. Pure.
//
// One completes when every member arrived; the answer is one message for all of them. It fails for
// all, at once, when a member is gone, gives up, or calls it as something else; who arrives later
// hears the same failure, until all have heard it and the name is free again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "rendezvous/base/error.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMaxCollectives = 4096;  // open at a time
// All contributions of one gather together, with 4 bytes each for their length.
inline constexpr std::size_t kMaxGather = kMaxReplyBody - 4096;

class Collectives {
 public:
  // `names` are the members' for texts ("node002 (member 2)"), in their order.
  explicit Collectives(std::vector<std::string> names);

  struct Announcement {
    std::vector<MemberIndex> to;
    Message message;  // CollectiveDone or CollectiveFailed
  };
  using Announcements = std::vector<Announcement>;

  Announcements arrive(MemberIndex from, Arrive arrival);
  Announcements give_up(MemberIndex from, const GiveUp& give_up);
  // `how` completes the sentence "node002 (member 2) ...": "is lost: connection reset", "has left".
  Announcements drop_member(MemberIndex member, const std::string& how);

  Missing missing(const std::string& name) const;

  std::size_t open() const { return open_.size(); }

 private:
  struct Collective {
    Arrive first;  // kind, name and root that the others must match; its bytes are moved out
    std::vector<bool> arrived;
    std::size_t arrivals = 0;
    std::vector<std::string> values;
    std::size_t bytes = 0;
    std::optional<Error> error;
  };
  using Open = std::unordered_map<std::string, Collective>;

  Collective begin(const Arrive& arrival) const;
  std::optional<Error> mismatch(MemberIndex from, const Collective& collective,
                                const Arrive& arrival) const;
  void contribute(MemberIndex from, Collective& collective, std::string bytes) const;
  Announcement complete(Collective& collective) const;
  Announcement fail(Collective& collective, Error error) const;
  std::vector<MemberIndex> arrived(const Collective& collective) const;
  bool is_heard_by_all(const Collective& collective) const;

  std::vector<std::string> names_;
  Open open_;
  std::map<MemberIndex, std::string> gone_;  // and how
};

}  // namespace muster::rendezvous
