#include "collectives-bench/report.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::bench {
namespace {

RankReport sample_report() {
  RankReport report;
  report.rank = 1;
  report.size = 4;
  report.node = 1;
  report.host = "node1";
  report.backend = "fabric";
  report.library = "libfabric 1.17 tcp;ofi_rxm";
  report.path = "/usr/lib/libfabric.so.1";
  report.network = "eth0 10.0.0.2";
  report.device = "host memory";
  Row row{.bytes = 1024, .count = 256, .out_of_place = {}, .in_place = {}};
  row.out_of_place = {.time_us = 12.5, .mean_us = 13, .algbw = 0.1, .busbw = 0.15, .wrong = 0};
  row.in_place = {.time_us = 11, .mean_us = 11.5, .algbw = 0.1, .busbw = 0.2, .wrong = {}};
  row.out_of_place.iterations = IterationStatistics{12, 14, 0.25};
  Row one_sided = row;
  one_sided.has_in_place = false;
  one_sided.in_place = {};
  one_sided.nic = "eth1";
  report.rows = {row, one_sided};
  report.timings = {.join = 0.1, .context = 0.15, .init = 0.2, .warmup = 0.3, .measure = 0.4};
  return report;
}

TEST(Report, RoundTrips) {
  RankReport report = sample_report();
  EXPECT_EQ(parse_report(print_report(report)), report);
  report.error = ReportError{ErrorCode::kTimeout, "nothing from rank 0", Phase::kWarmup};
  report.rows.clear();
  EXPECT_EQ(parse_report(print_report(report)), report);
}

RankReport report_of_nccl() {
  RankReport report = sample_report();
  report.backend = "nccl";
  report.algorithm = "NVLS";
  report.nccl = {"2.28.3", "1.16.3", "Libfabric", "efa", 32, 4, 2, "available", "NVLS"};
  return report;
}

TEST(Report, KeepsWhatNcclToldAndLacksItWhereItDidNot) {
  EXPECT_EQ(parse_report(print_report(report_of_nccl())), report_of_nccl());
  const std::string plain = print_report(sample_report());
  EXPECT_EQ(plain.find("nccl"), std::string::npos);
  EXPECT_EQ(plain.find("algorithm"), std::string::npos);
  RankReport wordy = report_of_nccl();
  wordy.nccl->network = wordy.algorithm = std::string(kMaxReportText, 'x');
  const auto parsed = parse_report(print_report(wordy));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->nccl->network.size(), kMaxReportWord);
  EXPECT_EQ(parsed->algorithm.size(), kMaxReportWord);
}

TEST(Report, EveryErrorCodeAndPhaseRoundTrips) {
  RankReport report = sample_report();
  for (int code = 0; code <= static_cast<int>(ErrorCode::kUnsupported); ++code) {
    for (int phase = 0; phase <= static_cast<int>(Phase::kClose); ++phase) {
      report.error = ReportError{static_cast<ErrorCode>(code), "text", static_cast<Phase>(phase)};
      EXPECT_EQ(parse_report(print_report(report)), report) << code << " " << phase;
    }
  }
}

TEST(Report, IsOneLineWhateverItsTexts) {
  RankReport report = sample_report();
  report.host = "a\nb\xff";
  const std::string text = print_report(report);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  ASSERT_TRUE(parse_report(text));
  EXPECT_TRUE(parse_report(text)->host.starts_with("a\nb"));
}

std::string error_of(std::string text, const std::string& from, const std::string& to) {
  const std::size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  text.replace(place, from.size(), to);
  const auto parsed = parse_report(text);
  return parsed ? "accepted" : parsed.error().message();
}

TEST(Report, NamesTheMemberAtFault) {
  const std::string text = print_report(sample_report());
  EXPECT_EQ(error_of(text, "\"version\":1", "\"version\":2"), "report: version is 2, expected 1");
  EXPECT_EQ(error_of(text, "\"rank\":1", "\"rank\":4"), "report: rank is not below size");
  EXPECT_EQ(error_of(text, "\"time_us\":12.5", "\"time_us\":-1"),
            "report: rows[0].out_of_place.time_us expected a number that is not negative");
  EXPECT_EQ(error_of(text, "\"time_us\":12.5", "\"time_us\":1e300"),
            "report: rows[0].out_of_place.time_us expected a number that is not negative");
  EXPECT_EQ(error_of(text, "\"wrong\":0", "\"wrong\":-5"),
            "report: rows[0].out_of_place.wrong expected a whole number up to "
            "18446744073709551615");
  EXPECT_EQ(error_of(text, "\"host\":\"node1\"", "\"host\":7"),
            "report: host expected a text of at most 4096 bytes");
  EXPECT_EQ(error_of(text, "\"operation\":\"all_reduce\"", "\"operation\":\"all\""),
            "report: operation is unknown");
  EXPECT_EQ(error_of(text, "\"cv\":0.25", "\"cv\":-1"),
            "report: rows[0].out_of_place.iterations.cv expected a number that is not negative");
  EXPECT_EQ(error_of(text, "\"timings\"", "\"timing\""), "report: timings is missing");
  const std::string nccl = print_report(report_of_nccl());
  EXPECT_EQ(error_of(nccl, "\"nics\":32", "\"nics\":-1"),
            "report: nccl.nics expected a whole number up to 4294967295");
  EXPECT_EQ(error_of(nccl, "\"provider\"", "\"supplier\""), "report: nccl.provider is missing");
  EXPECT_EQ(error_of(nccl, "\"algorithm\":\"NVLS\"", "\"algorithm\":4"),
            "report: algorithm expected a text of at most 256 bytes");
}

TEST(Report, RefusesWhatIsTooLarge) {
  EXPECT_FALSE(parse_report(std::string(kMaxReportBytes + 1, ' ')));
  RankReport report = sample_report();
  report.rows.assign(kMaxReportRows + 1, report.rows.front());
  EXPECT_FALSE(parse_report(print_report(report)));
  report = sample_report();
  report.host = std::string(kMaxReportText + 10, 'x');
  const auto parsed = parse_report(print_report(report));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->host.size(), kMaxReportText);
}

TEST(Report, RefusesOtherDocuments) {
  for (const char* text : {"", "{", "[]", "null", "7", "\"x\"", "{}"}) {
    EXPECT_FALSE(parse_report(text)) << text;
  }
  EXPECT_FALSE(parse_report(std::string(100000, '[')));
}

// Whatever bytes come, the reader answers; what it accepts it prints and reads again the same.
TEST(Report, SurvivesMutations) {
  std::mt19937 random(20260);
  const std::string original = print_report(report_of_nccl());
  for (int round = 0; round < 5000; ++round) {
    std::string text = original;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      const std::size_t place = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[place] = static_cast<char>(random());
          break;
        case 1:
          text.erase(place, 1 + random() % 8);
          break;
        case 2:
          text.insert(place, text.substr(random() % text.size(), random() % 16));
          break;
        default:
          text[place] = "0123456789-\"{}[],:e."[random() % 20];
      }
      if (text.empty()) text = "x";
    }
    const auto parsed = parse_report(text);
    if (!parsed) continue;
    ASSERT_LT(parsed->rank, parsed->size);
    ASSERT_EQ(parse_report(print_report(*parsed)), *parsed) << "round " << round;
  }
}

}  // namespace
}  // namespace muster::bench
