#include "launcher/health/gpu_report.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::health {
namespace {

const GpuReport kReport{{"GPU-1", "GPU-2"}, "the driver is odd", {"GPU 3: GPU is lost"}};

TEST(GpuReport, ComesBackAsItWasWritten) {
  for (const GpuReport& report : {kReport, GpuReport{}}) {
    const Result<GpuReport> back = parse_gpu_report(encode(report));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(*back, report);
  }
}

TEST(GpuReport, RefusesEveryTruncationAndAnythingBehind) {
  const std::string bytes = encode(kReport);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_gpu_report(std::string_view(bytes).substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(parse_gpu_report(bytes + "x").has_value());
}

TEST(GpuReport, SurvivesMutations) {
  std::mt19937 random(20);
  const std::string bytes = encode(kReport);
  for (int round = 0; round < 5'000; ++round) {
    std::string mutant = bytes;
    for (int i = 0; i < 3; ++i) mutant[random() % mutant.size()] = static_cast<char>(random());
    const Result<GpuReport> report = parse_gpu_report(mutant);
    if (report) {
      EXPECT_LE(report->uuids.size(), kMaxGpus);
    }
  }
}

TEST(GpuUuid, IsLettersDigitsAndDashesBehindGpu) {
  EXPECT_TRUE(is_gpu_uuid("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"));
  EXPECT_FALSE(is_gpu_uuid("GPU-"));
  EXPECT_FALSE(is_gpu_uuid(""));
  EXPECT_FALSE(is_gpu_uuid("8932f937-d72c"));
  EXPECT_FALSE(is_gpu_uuid("GPU-8932f937\x1b[31m"));
}

}  // namespace
}  // namespace muster::health
