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
    nics.push_back(nic);
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
  void use_nic(std::size_t place) override { nic = place; }
  void abort() override {}
  Status close(TimePoint) override { return {}; }

  std::uint64_t operations = 0;
  std::size_t refused_count = 0;
  std::vector<std::uint32_t> rounds;
  std::vector<std::size_t> counts;
  bool ran_in_place = false;
  std::size_t nic = 0;
  std::vector<std::size_t> nics;  // of each measurement

 private:
  std::chrono::nanoseconds time_;
  std::uint64_t wrong_;
};

struct Recorder : SweepObserver {
  void on_phase(Phase phase) override { phases.push_back(phase); }
  void on_step(std::size_t place) override { places.push_back(place); }
  void on_half_row(const Row& row) override { half_rows.push_back(row); }
  void on_row(const Row& own, std::span<const Row> groups) override {
    own_rows.push_back(own);
    group_rows.emplace_back(groups.begin(), groups.end());
  }
  std::vector<Phase> phases;
  std::vector<Row> own_rows;
  std::vector<std::vector<Row>> group_rows;
  std::vector<std::size_t> places;
  std::vector<Row> half_rows;
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

TEST(Measure, TakesTheStepsThatAreListed) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  const Sweep sweep = sweep_of({8, 16}, 10, 3, 2);
  const std::vector<Step> steps = steps_of(sweep);
  ASSERT_EQ(steps.size(), 2u * 2u * 3u);
  EXPECT_EQ(steps[1], (Step{Phase::kWarmup, 8, 0, Placement::kInPlace, 3}));
  EXPECT_EQ(steps[4], (Step{Phase::kMeasure, 8, 0, Placement::kOutOfPlace, 11}));
  EXPECT_EQ(steps[5], (Step{Phase::kVerify, 8, 0, Placement::kOutOfPlace, 2}));
  EXPECT_EQ(steps[8].bytes, 16u);
  ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
  ASSERT_EQ(recorder.places.size(), steps.size());
  for (std::size_t place = 0; place < steps.size(); ++place) {
    EXPECT_EQ(recorder.places[place], place);
  }
  EXPECT_EQ(steps_of(sweep_of({8}, 1, 0, 0)).size(), 2u) << "no warm-up, no checks";
}

TEST(Measure, TellsTheFirstSideOfARowBeforeTheSecond) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  ASSERT_TRUE(run_sweep(backend, exchange, sweep_of({8}, 1, 0, 1), recorder, soon()));
  ASSERT_EQ(recorder.half_rows.size(), 1u);
  EXPECT_EQ(recorder.half_rows[0].out_of_place, recorder.group_rows[0][0].out_of_place);
  EXPECT_EQ(recorder.half_rows[0].in_place, Measured{});
}

TEST(Measure, EachNicHasARowOfEachSize) {
  SoloExchange exchange;
  FakeBackend backend(std::chrono::microseconds(1), 0);
  Recorder recorder;
  Sweep sweep = sweep_of({8, 16}, 1, 0, 1);
  sweep.operation = Operation::kSendRecv;
  sweep.nics = {"eth0", "eth1"};
  ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  for (const Row& row : recorder.own_rows) rows.emplace_back(row.bytes, row.nic);
  EXPECT_EQ(rows, (std::vector<std::pair<std::uint64_t, std::string>>{
                      {8, "eth0"}, {8, "eth1"}, {16, "eth0"}, {16, "eth1"}}));
  EXPECT_EQ(recorder.group_rows[3][0].nic, "eth1");
  EXPECT_EQ(backend.nics, (std::vector<std::size_t>{0, 0, 1, 1, 0, 0, 1, 1}))
      << "the untimed one goes the same way";
}

TEST(Measure, OfAPingpongTheTimeIsHalfAndWhoWaitsDoesNotCount) {
  testing::run_ranks(3, [](Exchange& exchange) {
    const bool waits = exchange.rank() == 2;
    FakeBackend backend(std::chrono::microseconds(waits ? 1 : 50), 0);
    Recorder recorder;
    Sweep sweep = sweep_of({1'000'000}, 4, 0, 1);
    sweep.operation = Operation::kPingPong;
    sweep.groups = {{"all", {0, 1, 2}}};
    ASSERT_TRUE(run_sweep(backend, exchange, sweep, recorder, soon()));
    const Measured& world = recorder.group_rows[0][0].out_of_place;
    EXPECT_DOUBLE_EQ(world.mean_us, 25.0);
    EXPECT_DOUBLE_EQ(world.time_us, 25.0);
    EXPECT_DOUBLE_EQ(world.algbw, 40.0);
    EXPECT_DOUBLE_EQ(world.busbw, 40.0);
    EXPECT_DOUBLE_EQ(world.iterations->p50_us, 25.0);
    EXPECT_NE(world.slowest_rank, 2u);
  });
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
