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
  Result<Timing> measure(const Collective& collective, Placement placement, std::uint32_t n,
                         TimePoint) override {
    if (collective.count == refused_count) return failure(ErrorCode::kTimeout, "late");
    operations += n;
    counts.push_back(collective.count);
    ran_in_place = ran_in_place || placement == Placement::kInPlace;
    const double each_us = std::chrono::duration<double, std::micro>(time_).count();
    return Timing{time_ * n, std::vector<double>(n, each_us)};
  }
  Result<std::uint64_t> verify(const Collective&, Placement, std::uint32_t round,
                               TimePoint) override {
    rounds.push_back(round);
    return wrong_;
  }
  BackendFacts facts() const override { return {}; }
  void abort() override {}
  Status close(TimePoint) override { return {}; }

  std::uint64_t operations = 0;
  std::size_t refused_count = 0;
  std::vector<std::uint32_t> rounds;
  std::vector<std::size_t> counts;
  bool ran_in_place = false;

 private:
  std::chrono::nanoseconds time_;
  std::uint64_t wrong_;
};

struct Recorder : SweepObserver {
  void on_phase(Phase phase) override { phases.push_back(phase); }
  void on_size(std::size_t, std::uint64_t bytes) override { sizes.push_back(bytes); }
  void on_row(const Row& own, std::span<const Row> groups) override {
    own_rows.push_back(own);
    group_rows.emplace_back(groups.begin(), groups.end());
  }
  std::vector<Phase> phases;
  std::vector<Row> own_rows;
  std::vector<std::vector<Row>> group_rows;
  std::vector<std::uint64_t> sizes;
};

Sweep sweep_of(std::vector<std::uint64_t> sizes, std::uint32_t iterations, std::uint32_t warmup,
               std::uint32_t checks) {
  Sweep sweep;
  sweep.sizes = std::move(sizes);
  sweep.iterations = iterations;
  sweep.warmup = warmup;
  sweep.checks = checks;
  sweep.groups = {{"all", {0}}};
  return sweep;
}

TimePoint soon() {
  return Clock::now() + std::chrono::seconds(20);
}

TEST(Measure, AveragesTimesAndSumsWrongElementsOverRanks) {
  testing::run_ranks(2, [](Exchange& exchange) {
    FakeBackend backend(std::chrono::microseconds(100 * (exchange.rank() + 1)), exchange.rank());
    Recorder recorder;
    Sweep sweep = sweep_of({1'000'000}, 4, 1, 1);
    sweep.groups = {{"all", {0, 1}}};
    ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
    ASSERT_EQ(recorder.own_rows.size(), 1u);
    const Measured& own = recorder.own_rows[0].out_of_place;
    EXPECT_DOUBLE_EQ(own.time_us, 100.0 * static_cast<double>(exchange.rank() + 1));
    EXPECT_DOUBLE_EQ(own.mean_us, 150.0);
    EXPECT_DOUBLE_EQ(own.busbw, 1e6 / 150.0 / 1e3);
    EXPECT_EQ(own.wrong, exchange.rank());
    const Measured& world = recorder.group_rows[0][0].out_of_place;
    EXPECT_EQ(world.wrong, 1u);
    EXPECT_EQ(world.slowest_rank, 1u);
    EXPECT_DOUBLE_EQ(world.time_us, 200.0);
    ASSERT_TRUE(world.iterations);
    EXPECT_DOUBLE_EQ(world.iterations->p50_us, 200.0);
    ASSERT_TRUE(own.iterations);
    EXPECT_DOUBLE_EQ(own.iterations->p50_us, own.time_us);
  });
}

TEST(Measure, GroupsMeasureAtOnceAndEachByItself) {
  testing::run_ranks(3, [](Exchange& exchange) {
    FakeBackend backend(std::chrono::microseconds(100 * (exchange.rank() + 1)), 0);
    Recorder recorder;
    Sweep sweep = sweep_of({1'000'000}, 1, 0, 1);
    sweep.operation = Operation::kAllGather;
    sweep.groups = {{"pair", {0, 2}}, {"single", {1}}};
    ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
    const std::vector<Row>& rows = recorder.group_rows[0];
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].count, 125'000u);
    EXPECT_EQ(rows[1].count, 250'000u);
    EXPECT_DOUBLE_EQ(rows[0].out_of_place.mean_us, 200.0);
    EXPECT_DOUBLE_EQ(rows[1].out_of_place.mean_us, 200.0);
    EXPECT_DOUBLE_EQ(rows[0].out_of_place.busbw, 2.5);
    EXPECT_EQ(rows[0].out_of_place.slowest_rank, 2u);
    EXPECT_EQ(backend.counts.front(), exchange.rank() == 1 ? 250'000u : 125'000u);
    EXPECT_EQ(recorder.own_rows[0].out_of_place.algbw,
              rows[exchange.rank() == 1 ? 1 : 0].out_of_place.algbw);
  });
}

TEST(Measure, WhatCannotRunInPlaceDoesNot) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  Sweep sweep = sweep_of({64}, 1, 1, 1);
  sweep.operation = Operation::kSendRecv;
  ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
  EXPECT_FALSE(backend.ran_in_place);
  EXPECT_FALSE(recorder.own_rows[0].has_in_place);
  EXPECT_EQ(recorder.own_rows[0].in_place, Measured{});
}

TEST(Measure, WarmsUpAllSizesFirstAndVerifiesEachWithOtherData) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  const Sweep sweep = sweep_of({8, 16}, 10, 3, 2);
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
  const Sweep sweep = sweep_of({8}, 1, 0, 0);
  ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
  EXPECT_FALSE(recorder.own_rows[0].out_of_place.wrong);
}

TEST(Measure, KeepsTheRowsBeforeAFailure) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  backend.refused_count = 4;
  Recorder recorder;
  const Sweep sweep = sweep_of({8, 16}, 1, 0, 1);
  const Status status = run_sweep(backend, exchange, sweep, recorder, soon());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(recorder.own_rows.size(), 1u);
}

}  // namespace
}  // namespace muster::bench
