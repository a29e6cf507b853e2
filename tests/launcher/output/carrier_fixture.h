// What the component tests of the carrier share: gangs of child_zoo whose output goes through a
// carrier to two pipes, which stand for srun's.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "launcher/output/carrier.h"
#include "tests/launcher/process/zoo.h"

namespace muster::output {

using namespace std::chrono_literals;
using process::contents;
using process::run_until;
using process::zoo_worker;
using Strings = std::vector<std::string>;

class CarrierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(process::become_subreaper().has_value());
    make_pipe(out_read_, out_write_);
    make_pipe(err_read_, err_write_);
    options_.out_fd = out_write_.get();
    options_.err_fd = err_write_.get();
  }

  static void make_pipe(Fd& read_end, Fd& write_end) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  }

  void create() {
    auto created = OutputCarrier::create(
        io_, options_, [this](const std::string& line) { errors_.push_back(line); });
    ASSERT_TRUE(created.has_value()) << created.error().message();
    carrier_ = std::move(*created);
  }

  void start(const std::vector<Strings>& tricks) {
    if (!carrier_) create();
    std::vector<WorkerFields> workers;
    std::vector<process::WorkerSpec> specs;
    for (std::uint32_t i = 0; i < tricks.size(); ++i) {
      workers.push_back({LocalRank{i}, Rank{10 + i}, "node7"});
      specs.push_back(zoo_worker(i, tricks[i], marker_));
    }
    carrier_->begin_attempt(Attempt{0}, workers);
    gang_.emplace(io_, process::GangOptions{.marker = marker_}, recorder_, nullptr, carrier_.get());
    gang_->start(std::move(specs));
  }

  void collect(const Fd& fd, std::string& text) {
    char buffer[65536];
    for (ssize_t size = 0; (size = ::read(fd.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(size));
  }
  void collect_all() {
    collect(out_read_, out_);
    collect(err_read_, err_);
  }
  // Runs until the gang has finished, with the consoles being read all the while.
  bool finish() {
    const bool finished = run_until(io_, [this] {
      collect_all();
      return recorder_.finished;
    });
    collect_all();
    return finished && end_carrier();
  }
  bool end_carrier() {
    bool done = false;
    carrier_->finish([&done] { done = true; });
    return run_until(io_, [&] {
      collect_all();
      return done;
    });
  }

  asio::io_context io_{1};
  process::TempDirectory directory_;
  std::string marker_ = process::make_marker();
  OutputOptions options_;
  Fd out_read_, out_write_, err_read_, err_write_;
  std::string out_, err_;
  Strings errors_;
  process::Recorder recorder_;
  std::unique_ptr<OutputCarrier> carrier_;
  std::optional<process::Gang> gang_;
};

inline Strings lines_of(const std::string& text) {
  Strings lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace muster::output
