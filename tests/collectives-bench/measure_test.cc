#include "collectives-bench/measure.h"

#include <gtest/gtest.h>

#include <mutex>

#include "tests/collectives-bench/thread_exchange.h"

namespace muster::bench {
namespace {

// A backend whose time and wrong elements are set; it records what was asked.
class FakeBackend : public Backend {
 public:
  FakeBackend(std::chrono::nanoseconds time, std::uint64_t wrong) : time_(time), wrong_(wrong) {}

  Result<BackendFacts> open(const BackendOptions&, Exchange&, TimePoint) override {
    return BackendFacts{};
  }
  Result<std::chrono::nanoseconds> all_reduce(std::size_t count, Placement, std::uint32_t n,
                                              TimePoint) override {
    if (count == refused_count) return failure(ErrorCode::kTimeout, "late");
    operations += n;
    return time_ * n;
  }
  Result<std::uint64_t> verify(std::size_t, Placement, std::uint32_t round, TimePoint) override {
    rounds.push_back(round);
    return wrong_;
  }
  BackendFacts facts() const override { return {}; }
  void abort() override {}
  Status close(TimePoint) override { return {}; }

  std::uint64_t operations = 0;
  std::size_t refused_count = 0;
  std::vector<std::uint32_t> rounds;

 private:
  std::chrono::nanoseconds time_;
  std::uint64_t wrong_;
};

struct Recorder : SweepObserver {
  void on_phase(Phase phase) override { phases.push_back(phase); }
  void on_row(const Row& own, const Row& world) override {
    own_rows.push_back(own);
    world_rows.push_back(world);
  }
  std::vector<Phase> phases;
  std::vector<Row> own_rows;
  std::vector<Row> world_rows;
};

TimePoint soon() {
  return Clock::now() + std::chrono::seconds(20);
}

TEST(Measure, AveragesTimesAndSumsWrongElementsOverRanks) {
  testing::run_ranks(2, [](Exchange& exchange) {
    FakeBackend backend(std::chrono::microseconds(100 * (exchange.rank() + 1)), exchange.rank());
    Recorder recorder;
    const Sweep sweep{.sizes = {1'000'000}, .iterations = 4, .warmup = 1, .checks = 1};
    ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
    ASSERT_EQ(recorder.own_rows.size(), 1u);
    const Measured& own = recorder.own_rows[0].out_of_place;
    EXPECT_DOUBLE_EQ(own.time_us, 100.0 * static_cast<double>(exchange.rank() + 1));
    EXPECT_DOUBLE_EQ(own.mean_us, 150.0);
    EXPECT_DOUBLE_EQ(own.busbw, 1e6 / 150.0 / 1e3);
    EXPECT_EQ(own.wrong, exchange.rank());
    EXPECT_EQ(recorder.world_rows[0].out_of_place.wrong, 1u);
  });
}

TEST(Measure, WarmsUpAllSizesFirstAndVerifiesEachWithOtherData) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  const Sweep sweep{.sizes = {8, 16}, .iterations = 10, .warmup = 3, .checks = 2};
  ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
  EXPECT_EQ(backend.operations, 2u * 2u * (3 + 1 + 10));
  EXPECT_EQ(backend.rounds, (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(recorder.phases.front(), Phase::kWarmup);
  EXPECT_EQ(recorder.phases.back(), Phase::kVerify);
}

TEST(Measure, WithoutChecksNothingIsCalledVerified) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  const Sweep sweep{.sizes = {8}, .iterations = 1, .warmup = 0, .checks = 0};
  ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
  EXPECT_FALSE(recorder.own_rows[0].out_of_place.wrong);
}

TEST(Measure, KeepsTheRowsBeforeAFailure) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  backend.refused_count = 4;
  Recorder recorder;
  const Sweep sweep{.sizes = {8, 16}, .iterations = 1, .warmup = 0, .checks = 1};
  const Status status = run_sweep(backend, exchange, sweep, recorder, soon());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(recorder.own_rows.size(), 1u);
}

}  // namespace
}  // namespace muster::bench
