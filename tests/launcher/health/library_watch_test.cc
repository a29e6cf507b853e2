#include "launcher/health/library_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "launcher/process/spawn.h"
#include "rendezvous/base/asio.h"

namespace muster::health {
namespace {

namespace fs = std::filesystem;

constexpr Duration kDeadline{30'000};
const std::vector<Duration> kAtOnce{Duration{0}, Duration{1}, Duration{2}};

// A program that has opened copies of a small library under the names of the test, until the end.
class Holder {
 public:
  explicit Holder(std::vector<std::string> names, bool in_child = false) {
    std::string name = (fs::temp_directory_path() / "muster_test_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    process::SpawnPlan plan;
    plan.program = LIBRARY_HOLDER;
    plan.argv = {"library_holder"};
    if (in_child) plan.argv.emplace_back("--child");
    for (const std::string& file : names) {
      fs::copy_file(SMALL_LIBRARY, folder_ / file);
      plan.argv.push_back(path(file));
    }
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC) + ::pipe2(out.data(), O_CLOEXEC), 0);
    const Fd in_read(in[0]);
    const Fd out_write(out[1]);
    stdin_.reset(in[1]);
    stdout_.reset(out[0]);
    plan.fds = {{0, in_read.get()}, {1, out_write.get()}};
    auto child = process::spawn(plan);
    EXPECT_TRUE(child.has_value());
    child_ = std::move(*child);
    pollfd ready{stdout_.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, static_cast<int>(kDeadline.count())), 1);
    EXPECT_NE(ready.revents & POLLIN, 0) << "the holder could not open its libraries";
  }

  ~Holder() {
    stdin_.reset();
    pollfd ended{child_.pidfd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&ended, 1, static_cast<int>(kDeadline.count())), 1);
    process::reap(child_.pidfd);
    fs::remove_all(folder_);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  pid_t pid() const { return child_.pid; }

 private:
  fs::path folder_;
  Fd stdin_;
  Fd stdout_;
  process::Child child_;
};

// All that is reported until nothing is left to look at.
std::vector<std::string> watch(pid_t worker) {
  asio::io_context loop(1);
  std::vector<std::string> lines;
  const LibraryWatch watch(loop, worker, {kAtOnce, kDeadline},
                           [&lines](const std::string& line) { lines.push_back(line); });
  loop.run_for(kDeadline);
  EXPECT_TRUE(loop.stopped());
  return lines;
}

TEST(LibraryWatch, ReportsOnceTheNcclAndThePluginOfAWorker) {
  const Holder worker({"libnccl.so.2", "libnccl-net.so"});
  EXPECT_EQ(watch(worker.pid()),
            std::vector<std::string>{"training uses NCCL " + worker.path("libnccl.so.2") +
                                     ", network plug-in " + worker.path("libnccl-net.so")});
}

TEST(LibraryWatch, LooksAtTheDescendantsOfAWorker) {
  const Holder worker({"libnccl.so.2.27.3", "libnccl-net-ofi.so", "libfabric.so.1"}, true);
  EXPECT_EQ(watch(worker.pid()),
            std::vector<std::string>{"training uses NCCL " + worker.path("libnccl.so.2.27.3") +
                                     ", network plug-in " + worker.path("libnccl-net-ofi.so") +
                                     ", libfabric " + worker.path("libfabric.so.1")});
}

TEST(LibraryWatch, FindsNcclWithoutPluginInTheMaps) {
  const Holder worker({"libnccl.so.2"});
  EXPECT_EQ(list_mapped_files(worker.pid()), worker.path("libnccl.so.2") + "\n");
}

TEST(LibraryWatch, IsSilentAboutAWorkerWithoutNccl) {
  const Holder worker({"libother.so"});
  EXPECT_TRUE(watch(worker.pid()).empty());
}

TEST(LibraryWatch, IsSilentAboutAWorkerThatIsGone) {
  pid_t gone = 0;
  {
    const Holder worker({"libnccl.so.2", "libnccl-net.so"});
    gone = worker.pid();
  }
  EXPECT_TRUE(watch(gone).empty());
}

TEST(LibraryWatch, IsSilentOnceItIsDestroyed) {
  const Holder worker({"libnccl.so.2", "libnccl-net.so"});
  asio::io_context loop(1);
  bool reported = false;
  {
    const LibraryWatch watch(loop, worker.pid(), {kAtOnce, kDeadline},
                             [&reported](const std::string&) { reported = true; });
    loop.run_one_for(kDeadline);  // the first look is under way
  }
  loop.run_for(kDeadline);
  EXPECT_FALSE(reported);
}

}  // namespace
}  // namespace muster::health
