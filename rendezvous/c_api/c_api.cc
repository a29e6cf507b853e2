// The functions of muster_rendezvous.h: arguments are checked, nothing is thrown.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "rendezvous/c_api/c_handle.h"
#include "rendezvous/c_api/c_options.h"
#include "rendezvous/c_api/environment_join.h"
#include "rendezvous/c_api/muster_rendezvous.h"
#include "rendezvous/c_api/rank_order.h"
#include "rendezvous/messages.h"

namespace {

using muster::Duration;
using muster::Environment;
using muster::Error;
using muster::ErrorCode;
using muster::failure;
using muster::Result;
using muster::Status;
using namespace muster::rendezvous;

static_assert(MUSTER_MAX_NAME == kMaxMeetingName && MUSTER_MAX_KEY == kMaxKey &&
              MUSTER_MAX_VALUE == kMaxValue && MUSTER_MAX_FACTS == kMaxFacts - kClaimSize);

int code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return MUSTER_INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return MUSTER_NOT_FOUND;
    case ErrorCode::kUnavailable:
      return MUSTER_UNAVAILABLE;
    case ErrorCode::kTimeout:
      return MUSTER_TIMEOUT;
    case ErrorCode::kPermissionDenied:
      return MUSTER_PERMISSION_DENIED;
    case ErrorCode::kProtocol:
      return MUSTER_PROTOCOL;
    case ErrorCode::kLimit:
      return MUSTER_LIMIT;
    case ErrorCode::kCancelled:
      return MUSTER_CANCELLED;
    case ErrorCode::kSystem:
      return MUSTER_SYSTEM;
    case ErrorCode::kUnsupported:
      return MUSTER_UNSUPPORTED;
  }
  return MUSTER_SYSTEM;
}

int report(muster_error* error, int code, const char* text) noexcept {
  if (error == nullptr) return code;
  error->code = code;
  const std::size_t size = std::min(std::strlen(text), sizeof(error->text) - 1);
  std::memcpy(error->text, text, size);
  error->text[size] = '\0';
  return code;
}

// Runs `call`, which gives a Status. Nothing that it throws leaves this function.
template <class Call>
int guarded(const char* name, muster_error* error, Call call) noexcept {
  try {
    const Status status = call();
    if (status) return report(error, MUSTER_OK, "");
    const Error within = status.error().within(name);
    return report(error, code_of(within.code()), within.message().c_str());
  } catch (const std::bad_alloc&) {
    return report(error, MUSTER_SYSTEM, "out of memory");
  } catch (const std::exception& thrown) {
    return report(error, MUSTER_SYSTEM, thrown.what());
  } catch (...) {
    return report(error, MUSTER_SYSTEM, "an error of an unknown kind");
  }
}

Status wrong(const std::string& text) {
  return failure(ErrorCode::kInvalidArgument, text);
}

Status check_timeout(int timeout_ms) {
  if (timeout_ms >= 0) return {};
  return wrong("timeout_ms is " + std::to_string(timeout_ms) + "; every wait has an end here");
}

Status check_buffer(const char* what, const void* bytes, std::size_t size) {
  if (size > kMaxValue)
    return failure(ErrorCode::kLimit, std::string(what) + " has " + std::to_string(size) +
                                          " bytes; at most " + std::to_string(kMaxValue) +
                                          " are taken");
  if (bytes != nullptr || size == 0) return {};
  return wrong(std::string(what) + " is NULL, but its size is " + std::to_string(size));
}

Status check_key(const char* key) {
  if (key == nullptr) return wrong("key is NULL");
  if (::strnlen(key, kMaxKey + 1) > kMaxKey)
    return failure(ErrorCode::kLimit, "a key has more than " + std::to_string(kMaxKey) + " bytes");
  return {};
}

Status check_facts(const void* facts, std::size_t size) {
  if (size > MUSTER_MAX_FACTS)
    return failure(ErrorCode::kLimit, "facts has " + std::to_string(size) + " bytes; at most " +
                                          std::to_string(MUSTER_MAX_FACTS) + " are taken");
  return check_buffer("facts", facts, size);
}

std::string copied(const void* bytes, std::size_t size) {
  return size == 0 ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

class CallInProgress {
 public:
  explicit CallInProgress(muster_group& group)
      : group_(group), entered_(!group.busy.test_and_set()) {}
  ~CallInProgress() {
    if (entered_) group_.busy.clear();
  }
  CallInProgress(const CallInProgress&) = delete;
  CallInProgress& operator=(const CallInProgress&) = delete;
  bool entered() const { return entered_; }

 private:
  muster_group& group_;
  const bool entered_;
};

// An operation on a group that may be used, with a timeout that may be given.
template <class Call>
int operate(const char* name, muster_group* group, int timeout_ms, muster_error* error,
            Call call) noexcept {
  return guarded(name, error, [&]() -> Status {
    if (group == nullptr) return wrong("group is NULL");
    MUSTER_RETURN_IF_ERROR(check_timeout(timeout_ms));
    if (!group->is_ours())
      return wrong("the group belongs to process " + std::to_string(group->process) +
                   "; a child made by fork has no part in it");
    const CallInProgress progress(*group);
    if (!progress.entered()) return wrong("another thread is in a call of this group");
    if (group->left) return wrong("this group was left before");
    return call(Duration(timeout_ms));
  });
}

Status give(const std::string& value, muster_bytes& out) {
  void* const data = std::malloc(value.size() + 1);
  if (data == nullptr) throw std::bad_alloc();
  std::memcpy(data, value.c_str(), value.size() + 1);
  out = {data, value.size()};
  return {};
}

std::string own_host() {
  std::array<char, kMaxHost + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

Status join(JoinOptions options, bool ranks_are_claimed, int timeout_ms, muster_group** out) {
  options.deadline = Duration(timeout_ms);
  options.self.pid = static_cast<std::uint32_t>(::getpid());
  MUSTER_TRY(group, muster_group::join(options, ranks_are_claimed));
  *out = group.release();
  return {};
}

Status check_join(int timeout_ms, muster_group** out) {
  if (out == nullptr) return wrong("group is NULL; expected where to put it");
  *out = nullptr;
  return check_timeout(timeout_ms);
}

}  // namespace

extern "C" {

uint32_t muster_version() {
  return MUSTER_RENDEZVOUS_VERSION;
}

const char* muster_code_name(int code) {
  constexpr std::array<const char*, 11> kNames = {
      "ok",        "invalid argument",  "not found",  "unavailable",
      "timeout",   "permission denied", "protocol",   "limit",
      "cancelled", "system error",      "unsupported"};
  if (code < 0 || static_cast<std::size_t>(code) >= kNames.size()) return "unknown";
  return kNames[static_cast<std::size_t>(code)];
}

int muster_join(const muster_join_options* options, int timeout_ms, muster_group** group,
                muster_error* error) {
  return guarded("join", error, [&]() -> Status {
    MUSTER_RETURN_IF_ERROR(check_join(timeout_ms, group));
    MUSTER_TRY(cpp, join_options_of(options, own_host(), Environment::from_block(::environ)));
    MUSTER_RETURN_IF_ERROR(check_facts(options->facts, options->facts_size));
    cpp.self.facts = copied(options->facts, options->facts_size);
    return join(std::move(cpp), false, timeout_ms, group);
  });
}

int muster_join_environment(const char* name, const void* facts, size_t facts_size, int timeout_ms,
                            muster_group** group, muster_error* error) {
  return guarded("join", error, [&]() -> Status {
    MUSTER_RETURN_IF_ERROR(check_join(timeout_ms, group));
    MUSTER_RETURN_IF_ERROR(check_facts(facts, facts_size));
    const Environment environment = Environment::from_block(::environ);
    MUSTER_TRY(plan, plan_environment_join(environment, find_authentication_facts(environment),
                                           name == nullptr ? "" : name));
    const std::string own = copied(facts, facts_size);
    plan.options.self.facts = plan.rank ? facts_with_claim(*plan.rank, own) : own;
    return join(std::move(plan.options), plan.rank.has_value(), timeout_ms, group);
  });
}

uint32_t muster_rank(const muster_group* group) {
  return group == nullptr ? MUSTER_NO_RANK : group->rank;
}

uint32_t muster_size(const muster_group* group) {
  return group == nullptr ? 0 : group->size();
}

int muster_peer_at(const muster_group* group, uint32_t rank, muster_peer* peer,
                   muster_error* error) {
  return guarded("peer", error, [&]() -> Status {
    if (group == nullptr) return wrong("group is NULL");
    if (peer == nullptr) return wrong("peer is NULL");
    // A newer caller's struct is larger; what this version does not know stays as it is.
    if (peer->struct_size < sizeof(muster_peer))
      return wrong("muster_peer.struct_size is " + std::to_string(peer->struct_size) +
                   ", expected sizeof(muster_peer), " + std::to_string(sizeof(muster_peer)));
    if (rank >= group->size())
      return wrong("rank is " + std::to_string(rank) + ", expected 0 to " +
                   std::to_string(group->size() - 1));
    *peer = group->peer(rank);
    return {};
  });
}

int muster_set(muster_group* group, const char* key, const void* value, size_t size, int timeout_ms,
               muster_error* error) {
  return operate("set", group, timeout_ms, error, [&](Duration timeout) -> Status {
    MUSTER_RETURN_IF_ERROR(check_key(key));
    MUSTER_RETURN_IF_ERROR(check_buffer("value", value, size));
    return group->group.set(key, copied(value, size), timeout);
  });
}

int muster_get(muster_group* group, const char* key, muster_bytes* value, int timeout_ms,
               muster_error* error) {
  if (value != nullptr) *value = {nullptr, 0};
  return operate("get", group, timeout_ms, error, [&](Duration timeout) -> Status {
    if (value == nullptr) return wrong("value is NULL");
    MUSTER_RETURN_IF_ERROR(check_key(key));
    MUSTER_TRY(found, group->group.get(key, timeout));
    return give(found, *value);
  });
}

int muster_wait(muster_group* group, const char* const* keys, size_t count, int timeout_ms,
                muster_error* error) {
  return operate("wait", group, timeout_ms, error, [&](Duration timeout) -> Status {
    if (keys == nullptr || count == 0) return wrong("no key to wait for");
    if (count > kMaxKeysPerWait)
      return failure(ErrorCode::kLimit, "at most " + std::to_string(kMaxKeysPerWait) +
                                            " keys can be waited for at once");
    std::vector<std::string> copies;
    for (size_t i = 0; i < count; ++i) {
      MUSTER_RETURN_IF_ERROR(check_key(keys[i]));
      copies.emplace_back(keys[i]);
    }
    return group->group.wait(copies, timeout);
  });
}

int muster_add(muster_group* group, const char* key, int64_t delta, int64_t* sum, int timeout_ms,
               muster_error* error) {
  return operate("add", group, timeout_ms, error, [&](Duration timeout) -> Status {
    MUSTER_RETURN_IF_ERROR(check_key(key));
    MUSTER_TRY(total, group->group.add(key, delta, timeout));
    if (sum != nullptr) *sum = total;
    return {};
  });
}

int muster_barrier(muster_group* group, int timeout_ms, muster_error* error) {
  return operate("barrier", group, timeout_ms, error,
                 [&](Duration timeout) { return group->group.barrier(timeout); });
}

int muster_all_gather(muster_group* group, const void* bytes, size_t size, muster_bytes* all,
                      int timeout_ms, muster_error* error) {
  std::vector<muster_bytes> taken;
  const int code = operate("all_gather", group, timeout_ms, error, [&](Duration timeout) -> Status {
    if (all == nullptr) return wrong("all is NULL");
    MUSTER_RETURN_IF_ERROR(check_buffer("bytes", bytes, size));
    taken.resize(group->size());
    MUSTER_TRY(values, group->group.all_gather(copied(bytes, size), timeout));
    if (values.size() != taken.size())
      return failure(ErrorCode::kProtocol, std::to_string(values.size()) + " values came");
    for (std::uint32_t rank = 0; rank < group->size(); ++rank)
      MUSTER_RETURN_IF_ERROR(give(values[value_of(group->member_of(rank))], taken[rank]));
    return {};
  });
  if (code == MUSTER_OK) {
    std::copy(taken.begin(), taken.end(), all);
  } else {
    for (muster_bytes& each : taken) muster_bytes_free(&each);
  }
  return code;
}

int muster_broadcast(muster_group* group, uint32_t root, void* bytes, size_t size, int timeout_ms,
                     muster_error* error) {
  return operate("broadcast", group, timeout_ms, error, [&](Duration timeout) -> Status {
    if (root >= group->size())
      return wrong("root is " + std::to_string(root) + ", expected 0 to " +
                   std::to_string(group->size() - 1));
    MUSTER_RETURN_IF_ERROR(check_buffer("bytes", bytes, size));
    std::string sent = group->rank == root ? copied(bytes, size) : std::string();
    MUSTER_TRY(value, group->group.broadcast(group->member_of(root), std::move(sent), timeout));
    if (value.size() != size)
      return wrong("rank " + std::to_string(root) + " sent " + std::to_string(value.size()) +
                   " bytes, but " + std::to_string(size) + " are expected here");
    if (size != 0) std::memcpy(bytes, value.data(), size);
    return {};
  });
}

int muster_leave(muster_group* group, int timeout_ms, muster_error* error) {
  return operate("leave", group, timeout_ms, error, [&](Duration timeout) {
    group->left = true;
    return group->group.leave(timeout);
  });
}

void muster_free(muster_group* group) {
  // A forked child's descriptors close when it ends; a goodbye from it would be its parent's.
  if (group == nullptr || !group->is_ours()) return;
  guarded("free", nullptr, [group]() -> Status {
    delete group;
    return {};
  });
}

void muster_bytes_free(muster_bytes* bytes) {
  if (bytes == nullptr) return;
  std::free(bytes->data);
  *bytes = {nullptr, 0};
}

}  // extern "C"
