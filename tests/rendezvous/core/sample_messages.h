// One message of every kind, all fields set: for round trips, mutations and the protocol's page.
#pragma once

#include <vector>

#include "rendezvous/messages.h"

namespace muster::rendezvous {

inline std::vector<Message> sample_messages() {
  const MemberDescription self{NodeIndex{1}, LocalTask{2}, "node001", 4711, "facts"};
  const std::vector<Member> members = {
      {MemberIndex{0}, {NodeIndex{0}, LocalTask{0}, "node000", 12, ""}, ""},
      {MemberIndex{1}, self, "10.0.0.2"}};
  return {
      Greeting{{4242, 0, 1, "check.0"},
               NodeIndex{3},
               2,
               AuthenticationMethod::kKey,
               std::string(kNonceSize, 'n')},
      Join{self,
           std::string(kSessionSize, 's'),
           std::string(kNonceSize, 'c'),
           {{Generation{6}, SeatSet::all()}, {Generation{1ULL << 32}, SeatSet::from_bits("\x05")}},
           {NodeIndex{0}, NodeIndex{5}},
           true,
           "proof"},
      Welcome{MemberIndex{1}, 2, "proof"},
      Refused{ErrorCode::kPermissionDenied, "not you", "proof"},
      Prepare{NodeIndex{0}, 1, SeatSet::from_bits("\x06"), "10.0.0.1", 2,
              std::string(kRosterDigestSize, 'd')},
      Members{members},
      Ack{},
      Commit{},
      Ping{},
      Leave{},
      Left{},
      Closing{ErrorCode::kTimeout, "1 of 2 members did not come"},
      ApplicationMessage{"hello"},
      SetRequest{RequestId{1}, "key", "value"},
      GetRequest{RequestId{2}, "key"},
      WaitRequest{RequestId{3}, {"a", "b"}},
      AddRequest{RequestId{4}, "counter", -5},
      CancelRequest{RequestId{3}},
      DoneReply{RequestId{1}},
      ValueReply{RequestId{2}, "value"},
      NumberReply{RequestId{4}, -5},
      FailedReply{RequestId{4}, ErrorCode::kInvalidArgument, "not a number"},
      Arrive{CollectiveKind::kBroadcast, "name", MemberIndex{1}, "bytes"},
      GiveUp{"name"},
      AskMissing{"name"},
      Missing{"name", 2, {"node000 (member 0)", "node001 (member 1)"}},
      CollectiveDone{"name", {"a", "", "c"}},
      CollectiveFailed{"name", ErrorCode::kUnavailable, "node001 (member 1) is lost"}};
}

}  // namespace muster::rendezvous
