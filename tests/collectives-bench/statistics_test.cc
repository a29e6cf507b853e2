#include "collectives-bench/statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace muster::bench {
namespace {

TEST(Statistics, TakeTheNearestRank) {
  std::vector<double> samples;
  for (int i = 200; i >= 1; --i) samples.push_back(i);
  const IterationStatistics statistics = summarize(samples);
  EXPECT_EQ(statistics.p50_us, 100);
  EXPECT_EQ(statistics.p99_us, 198);
}

TEST(Statistics, OfAFewSamplesP99IsTheLargest) {
  const std::vector<double> samples = {10, 10, 10, 30};
  const IterationStatistics statistics = summarize(samples);
  EXPECT_EQ(statistics.p50_us, 10);
  EXPECT_EQ(statistics.p99_us, 30);
  EXPECT_NEAR(statistics.cv, 8.660254 / 15, 1e-6);
}

TEST(Statistics, OfOneSampleIsThatSample) {
  EXPECT_EQ(summarize(std::vector<double>{7}), (IterationStatistics{7, 7, 0}));
}

}  // namespace
}  // namespace muster::bench
