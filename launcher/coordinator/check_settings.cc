#include "launcher/coordinator/check_settings.h"

#include <algorithm>

namespace muster::launcher {

namespace {

using bench::localise::Expectation;
using bench::localise::RoundKind;
using bench::localise::Settings;
using bench::localise::Threshold;
using bench::localise::ThresholdSource;
using bench::localise::Work;

constexpr std::uint32_t kGpuIterations = 20;
constexpr std::uint32_t kFabricIterations = 5;
// One number decides about a node: its median must not hang on one slow iteration.
constexpr std::uint32_t kSearchIterations = 11;
// In place is measured too, all sizes are, and every result is verified, which a deadline's count
// of operations leaves out: three times the work at most, and five times slower is still measured.
constexpr double kSlack = 15;
// Processes, contexts and communicators of thousands of ranks; less where the user has less time.
constexpr Duration kStart = std::chrono::seconds(30);
// For pairs of unknown speed, whatever the user's deadline: processes start, and one verified
// operation ends.
constexpr Duration kLeastPairs = std::chrono::seconds(20);

Expectation expectation(const bench::Profile& profile, bench::BackendKind backend,
                        const bench::BusbwQuery& query) {
  Expectation expected;
  const auto found = bench::expect_busbw(profile, query);
  if (!found || !(found->busbw > 0)) return expected;
  const bool is_recorded = found->kind == bench::FigureKind::kRecorded;
  if (backend == bench::BackendKind::kFabric && !is_recorded) return expected;
  Threshold threshold;
  threshold.source = found->may_stop() ? ThresholdSource::kRecorded
                     : is_recorded     ? ThresholdSource::kEstimated
                                       : ThresholdSource::kPublished;
  threshold.busbw = found->busbw;
  threshold.tolerance = 1 - found->minimum / found->busbw;
  expected.thresholds.push_back(threshold);
  expected.algorithm = found->algorithm;
  return expected;
}

}  // namespace

bench::SizeRange default_sizes(bench::BackendKind backend) {
  const bool is_gpu = backend == bench::BackendKind::kNccl;
  return {.min_bytes = (is_gpu ? 32ull : 1ull) << 20,
          .max_bytes = (is_gpu ? 512ull : 16ull) << 20,
          .step_bytes = 0,
          .factor = 4};
}

std::uint64_t judged_bytes(const bench::CheckSpec& spec) {
  const auto sizes = bench::expand_sizes(spec.sizes);
  return sizes && !sizes->empty() ? sizes->back() : spec.sizes.max_bytes;
}

Settings check_settings(const CheckWishes& wishes, const bench::Profile& profile,
                        const CheckExtent& extent) {
  const bench::BackendKind backend = wishes.spec.backend;
  const bool is_gpu = backend == bench::BackendKind::kNccl;
  Work work;
  work.bytes = judged_bytes(wishes.spec);
  work.iterations = is_gpu ? kGpuIterations : kFabricIterations;
  work.warmup = wishes.spec.warmup;
  Settings settings;
  settings.intra = settings.world = work;
  work.iterations = kSearchIterations;
  settings.pairs = settings.rails = work;
  const auto expect = [&](std::uint32_t nodes) {
    return expectation(profile, backend, {"all_reduce", nodes, extent.local_ranks, work.bytes, {}});
  };
  settings.intra_expected = expect(1);
  settings.world_expected = expect(extent.nodes);
  settings.pairs_expected = expect(2);
  if (wishes.min_busbw) {
    Threshold minimum;
    minimum.source = ThresholdSource::kMinimum;
    minimum.busbw = *wishes.min_busbw;
    // Of one node the round inside it is the one over all.
    auto& over_all = extent.nodes == 1 ? settings.intra_expected : settings.world_expected;
    over_all.thresholds.push_back(minimum);
  }
  settings.deadline.start = std::min(kStart, wishes.deadline / 4);
  settings.deadline.slack = kSlack;
  settings.deadline.unknown = wishes.deadline;
  settings.deadline.unknown_pairs =
      std::max(wishes.deadline / 4, std::min(wishes.deadline, kLeastPairs));
  settings.rules.pairs_unknown = wishes.compares_unknown;
  settings.rules.pairs_always = wishes.compares_always;
  return settings;
}

bench::CheckSpec spec_of(const CheckWishes& wishes, const bench::localise::Round& round) {
  bench::CheckSpec spec = wishes.spec;
  spec.iterations = round.work.iterations;
  spec.warmup = round.work.warmup;
  spec.deadline = round.deadline;
  if (round.kind != RoundKind::kIntra && round.kind != RoundKind::kWorld) {
    spec.in_place = false;
    spec.sizes = {
        .min_bytes = round.work.bytes, .max_bytes = round.work.bytes, .step_bytes = 0, .factor = 2};
  }
  return spec;
}

}  // namespace muster::launcher
