// The store's door over real sockets on loopback: whom it admits, its ports, its end.
#include "launcher/agent/worker_door.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>

#include "launcher/agent/interface_addresses.h"
#include "rendezvous/sockets.h"

namespace muster::launcher {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLimit = 10s;

class Doors : public ::testing::Test {
 protected:
  WorkerDoorOptions options(std::uint32_t attempt = 0) const {
    WorkerDoorOptions options;
    options.incarnation = {static_cast<std::uint64_t>(::getpid()), 0, 0, ""};
    options.attempt = Attempt{attempt};
    options.bind_address = "127.0.0.1";
    options.admission.uid = ::geteuid();
    return options;
  }

  Result<std::unique_ptr<WorkerDoor>> open(WorkerDoorOptions wanted) {
    WorkerDoor::Callbacks callbacks;
    callbacks.ask = [this](const std::vector<StoreConnection>&) { ++questions; };
    callbacks.print = [this](std::string_view line) { notes += std::string(line) + "\n"; };
    callbacks.failed = [](const Error& error) { FAIL() << error.message(); };
    return WorkerDoor::open(loop, std::move(wanted), std::move(callbacks));
  }

  static Fd connect(std::uint16_t port) {
    const auto where = rendezvous::numeric_address("127.0.0.1", port);
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int done =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where->address), where->size);
    return done == 0 ? std::move(socket) : Fd();
  }

  static bool is_closed(const Fd& socket) {
    char byte = 0;
    const ssize_t got = ::recv(socket.get(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }

  ::testing::AssertionResult run_until(const std::function<bool()>& holds) {
    const TimePoint end = Clock::now() + kLimit;
    while (!holds()) {
      if (Clock::now() > end) return ::testing::AssertionFailure() << "not in time; " << notes;
      loop.run_for(10ms);
      loop.restart();
    }
    return ::testing::AssertionSuccess();
  }

  asio::io_context loop{1};
  std::string notes;
  int questions = 0;
};

// ADD of key "/k", as PyTorch 1.11 to 2.1 asks it: u8 3, u64 size, key, i64; answered by an i64.
std::string add_request() {
  std::string request("\x03\x02\0\0\0\0\0\0\0/k\x05\0\0\0\0\0\0\0", 19);
  return request;
}

TEST_F(Doors, AProcessOfTheJobsUserIsServed) {
  const auto door = open(options());
  ASSERT_TRUE(door) << door.error().message();
  const Fd client = connect((*door)->port());
  ASSERT_TRUE(client.is_open());
  const std::string request = add_request();
  ASSERT_EQ(::send(client.get(), request.data(), request.size(), 0),
            static_cast<ssize_t>(request.size()));
  char answer[8] = "";
  EXPECT_TRUE(run_until([&] { return ::recv(client.get(), answer, 8, MSG_DONTWAIT) == 8; }));
  EXPECT_EQ(answer[0], 5);
  EXPECT_EQ(questions, 0);
}

TEST_F(Doors, AProcessOfAnotherUserIsShownOutWithOneLine) {
  WorkerDoorOptions wanted = options();
  wanted.admission.uid = ::geteuid() + 1;
  const auto door = open(wanted);
  ASSERT_TRUE(door) << door.error().message();
  const Fd client = connect((*door)->port());
  ASSERT_TRUE(client.is_open());
  EXPECT_TRUE(run_until([&] { return is_closed(client) && !notes.empty(); }));
  EXPECT_EQ(notes.find("store: refused 127.0.0.1:"), 0u) << notes;
  EXPECT_NE(notes.find("uid " + std::to_string(::geteuid()) + " owns it"), std::string::npos)
      << notes;
  EXPECT_EQ(notes.find('\n'), notes.size() - 1);
}

TEST_F(Doors, TheNextAttemptHasAnotherPortAndNoOldConnection) {
  auto first = open(options(0));
  ASSERT_TRUE(first);
  const std::uint16_t port = (*first)->port();
  const Fd client = connect(port);
  ASSERT_TRUE(client.is_open());
  first->reset();
  EXPECT_TRUE(is_closed(client));
  EXPECT_FALSE(connect(port).is_open());
  const auto second = open(options(1));
  ASSERT_TRUE(second);
  EXPECT_NE((*second)->port(), port);
}

TEST_F(Doors, AUsersPortIsTakenOrRefusedWithTheLineToWrite) {
  const auto first = open(options());
  ASSERT_TRUE(first);
  WorkerDoorOptions wanted = options();
  wanted.port = (*first)->port();
  const auto second = open(wanted);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message().find("--master-port=" + std::to_string(wanted.port) + ": "),
            0u)
      << second.error().message();
  EXPECT_NE(second.error().message().find("leave the option out"), std::string::npos);
}

TEST(InterfaceAddresses, LeaveLoopbackOut) {
  for (const std::string& address : interface_addresses()) {
    EXPECT_NE(address.rfind("127.", 0), 0u);
    EXPECT_NE(address, "::1");
    EXPECT_EQ(address.find('%'), std::string::npos);
  }
}

}  // namespace
}  // namespace muster::launcher
