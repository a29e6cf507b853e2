#include "rendezvous/munge_api.h"

#include <dlfcn.h>
#include <munge.h>

#include <cstdlib>

namespace muster::rendezvous {

namespace {

constexpr const char* kLibrary = "libmunge.so.2";
constexpr int kTimeToLiveSeconds = 60;

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

template <class Function>
bool look_up(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

struct MungeApi::Functions {
  std::unique_ptr<void, CloseLibrary> library;
  decltype(::munge_encode)* encode = nullptr;
  decltype(::munge_decode)* decode = nullptr;
  decltype(::munge_strerror)* strerror = nullptr;
  decltype(::munge_ctx_create)* ctx_create = nullptr;
  decltype(::munge_ctx_destroy)* ctx_destroy = nullptr;
  decltype(::munge_ctx_strerror)* ctx_strerror = nullptr;
  decltype(::munge_ctx_set)* ctx_set = nullptr;

  bool complete() {
    void* const from = library.get();
    return look_up(from, "munge_encode", encode) && look_up(from, "munge_decode", decode) &&
           look_up(from, "munge_strerror", strerror) &&
           look_up(from, "munge_ctx_create", ctx_create) &&
           look_up(from, "munge_ctx_destroy", ctx_destroy) &&
           look_up(from, "munge_ctx_strerror", ctx_strerror) &&
           look_up(from, "munge_ctx_set", ctx_set);
  }

  struct DestroyContext {
    decltype(::munge_ctx_destroy)* destroy;
    void operator()(munge_ctx_t context) const { destroy(context); }
  };
  using Context = std::unique_ptr<munge_ctx, DestroyContext>;

  Context context(const std::string& socket) const {
    Context made(ctx_create(), DestroyContext{ctx_destroy});
    if (made && !socket.empty()) ctx_set(made.get(), MUNGE_OPT_SOCKET, socket.c_str());
    return made;
  }

  Error error_of(munge_err_t code, const Context& context, const std::string& socket) const;
};

Error MungeApi::Functions::error_of(munge_err_t code, const Context& context,
                                    const std::string& socket) const {
  switch (code) {
    case EMUNGE_SOCKET:
      return Error(ErrorCode::kUnavailable, "munge: no munged at " +
                                                (socket.empty() ? "its default socket" : socket) +
                                                "; start it, or share a key by MUSTER_TOKEN");
    case EMUNGE_CRED_EXPIRED:
      return Error(ErrorCode::kPermissionDenied,
                   "munge: the credential is expired: do the clocks of the two nodes agree?");
    case EMUNGE_CRED_REWOUND:
      return Error(
          ErrorCode::kPermissionDenied,
          "munge: the credential is from the future: do the clocks of the two nodes agree?");
    case EMUNGE_CRED_REPLAYED:
      return Error(ErrorCode::kPermissionDenied, "munge: the credential was used before");
    case EMUNGE_CRED_UNAUTHORIZED:
      return Error(ErrorCode::kPermissionDenied, "munge: the credential is meant for another user");
    case EMUNGE_CRED_INVALID:
      return Error(ErrorCode::kPermissionDenied,
                   "munge: the credential is invalid: do both nodes have the same munge key?");
    default: {
      const char* const detail = context ? ctx_strerror(context.get()) : nullptr;
      return Error(ErrorCode::kPermissionDenied,
                   std::string("munge: ") + (detail != nullptr ? detail : strerror(code)));
    }
  }
}

MungeApi::MungeApi(std::unique_ptr<Functions> functions) : functions_(std::move(functions)) {}
MungeApi::MungeApi(MungeApi&&) noexcept = default;
MungeApi& MungeApi::operator=(MungeApi&&) noexcept = default;
MungeApi::~MungeApi() = default;

Result<MungeApi> MungeApi::load() {
  auto functions = std::make_unique<Functions>();
  functions->library.reset(::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL));
  if (!functions->library || !functions->complete()) {
    const char* const detail = ::dlerror();
    return failure(ErrorCode::kUnsupported,
                   std::string("munge: cannot load ") + kLibrary +
                       (detail != nullptr ? std::string(": ") + detail : std::string()) +
                       "; install it, or share a key by MUSTER_TOKEN");
  }
  return MungeApi(std::move(functions));
}

Result<std::string> MungeApi::encode(const MungeEncode& call, std::uint32_t uid) {
  const Functions::Context context = functions_->context(call.socket);
  if (!context) return failure(ErrorCode::kSystem, "munge: out of memory");
  functions_->ctx_set(context.get(), MUNGE_OPT_TTL, kTimeToLiveSeconds);
  functions_->ctx_set(context.get(), MUNGE_OPT_UID_RESTRICTION, static_cast<uid_t>(uid));
  char* text = nullptr;
  const munge_err_t error = functions_->encode(&text, context.get(), call.payload.data(),
                                               static_cast<int>(call.payload.size()));
  const std::unique_ptr<char, Free> credential(text);
  if (error != EMUNGE_SUCCESS) return failure(functions_->error_of(error, context, call.socket));
  return std::string(credential.get());
}

Result<MungeContent> MungeApi::decode(const MungeDecode& call) {
  const Functions::Context context = functions_->context(call.socket);
  if (!context) return failure(ErrorCode::kSystem, "munge: out of memory");
  void* bytes = nullptr;
  int size = 0;
  uid_t uid = 0;
  const munge_err_t error =
      functions_->decode(call.credential.c_str(), context.get(), &bytes, &size, &uid, nullptr);
  const std::unique_ptr<void, Free> payload(bytes);
  if (error != EMUNGE_SUCCESS) return failure(functions_->error_of(error, context, call.socket));
  MungeContent content;
  content.uid = uid;
  if (size > 0)
    content.payload.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  return content;
}

}  // namespace muster::rendezvous
