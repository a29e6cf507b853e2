#include "rendezvous/session_options.h"

#include "rendezvous/random.h"
#include "rendezvous/sidecar_messages.h"

namespace muster::rendezvous {

MemberEngineOptions engine_options(const SessionOptions& options) {
  MemberEngineOptions engine;
  engine.incarnation = options.incarnation;
  engine.self = options.self;
  engine.successors.clear();
  for (const Successor& successor : options.successors) engine.successors.push_back(successor.node);
  engine.place = options.place;
  engine.method = options.authentication.method;
  engine.key = options.authentication.key;
  engine.session = random_bytes(kSessionSize);
  engine.wants_members = options.wants_members;
  engine.deadline = options.deadline;
  engine.silent_after = options.silent_after;
  return engine;
}

Status check_search(const SessionOptions& options) {
  if (options.ports.empty())
    return failure(ErrorCode::kInvalidArgument, "no ports given to find the coordinator on");
  for (const Successor& successor : options.successors) {
    if (successor.hosts.empty() && options.self.node != successor.node)
      return failure(ErrorCode::kInvalidArgument, "no host given to find the coordinator on");
    if (successor.hosts.size() > kMaxHosts)
      return failure(ErrorCode::kInvalidArgument, "too many hosts given for one coordinator");
  }
  return {};
}

}  // namespace muster::rendezvous
