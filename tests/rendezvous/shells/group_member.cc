// One member of a group as a process of its own, for tests: joins by its MUSTER_GROUP_* variables
// and does what its argument says. Exit code 0 when all went well; the reason on stderr otherwise.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "rendezvous/group.h"

namespace muster::rendezvous {
namespace {

constexpr Duration kLimit = std::chrono::seconds(20);

Status check(bool condition, const char* what) {
  if (condition) return {};
  return failure(ErrorCode::kProtocol, std::string("wrong: ") + what);
}

// Every operation once, with results that depend on all members.
Status use_everything(Group& group) {
  const std::size_t self = value_of(group.index());
  const std::string own = std::to_string(self);
  MUSTER_RETURN_IF_ERROR(group.barrier(kLimit));
  MUSTER_TRY(all, group.all_gather(own, kLimit));
  MUSTER_RETURN_IF_ERROR(check(all.size() == group.size(), "gather's size"));
  for (std::size_t i = 0; i < all.size(); ++i)
    MUSTER_RETURN_IF_ERROR(check(all[i] == std::to_string(i), "gather"));
  MUSTER_RETURN_IF_ERROR(group.set("key." + own, "value " + own, kLimit));
  const std::string next = std::to_string((self + 1) % group.size());
  MUSTER_TRY(value, group.get("key." + next, kLimit));
  MUSTER_RETURN_IF_ERROR(check(value == "value " + next, "get"));
  MUSTER_TRY(sum, group.add("sum", 1, kLimit));
  MUSTER_RETURN_IF_ERROR(check(sum >= 1, "add"));
  const MemberIndex last{static_cast<std::uint32_t>(group.size() - 1)};
  MUSTER_TRY(told, group.broadcast(last, group.index() == last ? "from the last" : "", kLimit));
  MUSTER_RETURN_IF_ERROR(check(told == "from the last", "broadcast"));
  return group.wait({"sum"}, kLimit);
}

Status run(const std::string& task) {
  MUSTER_TRY(options, join_options_from(Environment::from_block(::environ)));
  MUSTER_TRY(group, Group::join(options));
  if (task == "die") ::_exit(9);
  if (task == "everything") MUSTER_RETURN_IF_ERROR(use_everything(group));
  if (task == "stay") MUSTER_RETURN_IF_ERROR(group.barrier(kLimit));
  return group.leave(kLimit);
}

}  // namespace
}  // namespace muster::rendezvous

int main(int argc, char** argv) {
  const muster::Status status = muster::rendezvous::run(argc > 1 ? argv[1] : "");
  if (status) return 0;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return 1;
}
