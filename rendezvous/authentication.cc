#include "rendezvous/authentication.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "rendezvous/base/fd.h"

namespace muster::rendezvous {

namespace {

constexpr const char* kTokenLine = "export MUSTER_TOKEN=$(head -c 24 /dev/urandom | base64)";

Result<std::string> read_key_file(const std::string& path) {
  const auto refused = [&path](const std::string& why) {
    return failure(ErrorCode::kPermissionDenied, "MUSTER_KEY_FILE " + path + " " + why);
  };
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return failure(system_error("MUSTER_KEY_FILE " + path, errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failure(system_error("stat " + path, errno));
  if (!S_ISREG(status.st_mode)) return refused("is no file");
  if (status.st_uid != ::geteuid()) return refused("belongs to another user");
  if ((status.st_mode & 077) != 0) return refused("is open to others; chmod 600 it");
  std::array<char, kMaxKeyFileBytes> buffer;
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) return failure(system_error("read MUSTER_KEY_FILE " + path, errno));
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

Result<Authentication> with_key(std::string key, const std::string& source) {
  if (key.size() < kMinKeyBytes)
    return failure(ErrorCode::kInvalidArgument,
                   source + " has " + std::to_string(key.size()) + " bytes, expected at least " +
                       std::to_string(kMinKeyBytes) + "; write: " + kTokenLine);
  Authentication authentication;
  authentication.method = AuthenticationMethod::kKey;
  authentication.key = std::move(key);
  return authentication;
}

}  // namespace

std::string munge_socket_path(const Environment& environment) {
  const auto chosen = environment.get("MUNGE_SOCKET");
  return std::string(chosen && !chosen->empty() ? *chosen : kDefaultMungeSocket);
}

Result<Authentication> choose_authentication(const Environment& environment,
                                             const AuthenticationFacts& facts) {
  if (facts.key_file) {
    if (!*facts.key_file) return failure(facts.key_file->error());
    return with_key(**facts.key_file, "the file of MUSTER_KEY_FILE");
  }
  const std::string token = environment.get_or("MUSTER_TOKEN", "");
  if (!token.empty()) return with_key(token, "MUSTER_TOKEN");
  if (facts.munge_is_built_in && facts.munge_socket_exists) {
    Authentication authentication;
    authentication.method = AuthenticationMethod::kMunge;
    authentication.munge_socket = munge_socket_path(environment);
    return authentication;
  }
  const std::string munge = facts.munge_is_built_in
                                ? "there is no munge socket at " + munge_socket_path(environment)
                                : "this build has no munge";
  return failure(ErrorCode::kUnavailable,
                 "the nodes of this job cannot prove that they belong together: " + munge +
                     ", and neither MUSTER_KEY_FILE nor MUSTER_TOKEN is set; put this line into "
                     "the batch script before srun: " +
                     kTokenLine);
}

AuthenticationFacts find_authentication_facts(const Environment& environment) {
  AuthenticationFacts facts;
#ifdef MUSTER_HAVE_MUNGE
  facts.munge_is_built_in = true;
#endif
  struct stat status {};
  facts.munge_socket_exists =
      ::stat(munge_socket_path(environment).c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
  const std::string path = environment.get_or("MUSTER_KEY_FILE", "");
  if (!path.empty()) facts.key_file = read_key_file(path);
  return facts;
}

}  // namespace muster::rendezvous
