#include "launcher/history/verdict_record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace muster::history {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

Record slow_node() {
  return {sys_days(2026y / 11 / 23) + 7h + 12min + 3s,
          "4711.0",
          {"node3", "i-0abc", {"GPU-1", "GPU-2"}, "slow", 0.41, "pairs at 0.41 of the median"}};
}

TEST(VerdictRecord, IsOneLineOfJson) {
  EXPECT_EQ(print_record(slow_node()),
            R"({"version":1,"time":"2026-11-23T07:12:03Z","job":"4711.0","host":"node3",)"
            R"("instance_id":"i-0abc","gpus":["GPU-1","GPU-2"],"fault":"slow","ratio":0.41,)"
            R"("evidence":"pairs at 0.41 of the median"})");
}

TEST(VerdictRecord, ComesBackAsItWent) {
  const auto record = parse_record(print_record(slow_node()));
  ASSERT_TRUE(record.has_value()) << record.error().message();
  EXPECT_EQ(*record, slow_node());
  const Record bare{sys_days(2024y / 2 / 29), "", {"h", "", {}, "", 0, ""}};
  EXPECT_EQ(parse_record(print_record(bare)), bare);
}

TEST(VerdictRecord, StaysOneReadableLineWhateverItHolds) {
  std::mt19937 random(20261123);
  for (int round = 0; round < 300; ++round) {
    const auto text = [&random]() {
      std::string bytes(1 + random() % 3000, ' ');
      for (char& byte : bytes) byte = static_cast<char>(random());
      return bytes;
    };
    Record record = slow_node();
    record.job = text();
    record.unfit = {text(), text(), std::vector<std::string>(random() % 40, text()),
                    text(), 1e300,  text()};
    const std::string line = print_record(record);
    EXPECT_LE(line.size(), kMaxRecord);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto parsed = parse_record(line);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
    EXPECT_EQ(print_record(*parsed), line);
  }
}

TEST(VerdictRecord, HoldsTheLongestQuotes) {
  Record record = slow_node();
  const std::string quotes(5000, '"');
  record.job = quotes;
  record.unfit = {quotes, quotes, std::vector<std::string>(100, quotes), quotes, 0.1, quotes};
  EXPECT_LE(print_record(record).size(), kMaxRecord);
  EXPECT_TRUE(parse_record(print_record(record)).has_value());
}

TEST(VerdictRecord, TakesARatioThatIsNoNumberForNone) {
  Record record = slow_node();
  for (const double ratio : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    record.unfit.ratio = ratio;
    EXPECT_EQ(parse_record(print_record(record))->unfit.ratio, 0);
  }
}

TEST(VerdictRecord, IgnoresMembersOfLaterVersions) {
  std::string line = print_record(slow_node());
  line.insert(1, R"("color":[1,{"a":null}],)");
  EXPECT_EQ(parse_record(line), slow_node());
}

std::string changed(const std::string& from, const std::string& to) {
  std::string line = print_record(slow_node());
  const std::size_t place = line.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return line.replace(place, from.size(), to);
}

TEST(VerdictRecord, SaysWhatIsWrong) {
  const auto error_of = [](const std::string& line) {
    const auto record = parse_record(line);
    EXPECT_FALSE(record.has_value()) << line;
    return record ? std::string() : record.error().message();
  };
  EXPECT_EQ(error_of("hello"), "record: expected a JSON object");
  EXPECT_EQ(error_of("[1]"), "record: expected a JSON object");
  EXPECT_EQ(error_of("{}"), "record: expected version 1");
  EXPECT_EQ(error_of(changed("\"version\":1", "\"version\":2")), "record: expected version 1");
  EXPECT_EQ(error_of(changed("\"host\"", "\"hots\"")), "record: expected a member host");
  EXPECT_EQ(error_of(changed("\"node3\"", "3")), "record: expected a text as host");
  EXPECT_EQ(error_of(changed("node3", "")), "record: expected a host that is not empty");
  EXPECT_EQ(error_of(changed("0.41", "\"0.41\"")), "record: expected a number as ratio");
  EXPECT_EQ(error_of(changed("[\"GPU-1\",\"GPU-2\"]", "7")), "record: expected a list as gpus");
  EXPECT_EQ(error_of(changed("\"GPU-1\"", "7")), "record: expected a text as gpus");
  EXPECT_EQ(error_of(changed("node3", std::string(256, 'x'))),
            "record: host has 256 bytes, at most 255");
}

TEST(VerdictRecord, RefusesTimesThatAreNone) {
  for (const char* time :
       {"2026-11-31T07:12:03Z", "2026-13-01T07:12:03Z", "2026-11-23T24:12:03Z",
        "2026-11-23T07:60:03Z", "2026-11-23T07:12:60Z", "2026-11-23 07:12:03Z",
        "2026-11-23T07:12:03", "2026-11-23T07:12:0-Z", "-026-11-23T07:12:03Z", "now", ""}) {
    EXPECT_FALSE(parse_record(changed("2026-11-23T07:12:03Z", time)).has_value()) << time;
  }
}

TEST(VerdictRecords, SkipsAndCountsWhatIsNone) {
  const std::string line = print_record(slow_node());
  const Records records = parse_records("\n" + line + "\nhello\n" + line.substr(0, 40) + "\n\n" +
                                        line + "\n" + line.substr(0, 20));
  EXPECT_EQ(records.records, (std::vector<Record>{slow_node(), slow_node()}));
  EXPECT_EQ(records.skipped, 3u);
  EXPECT_EQ(parse_records(""), Records{});
  EXPECT_EQ(parse_records(std::string(kMaxRecord + 1, '{')).skipped, 1u);
}

TEST(VerdictRecords, SurvivesMutations) {
  std::mt19937 random(4711);
  const std::string text = print_record(slow_node()) + "\n" + print_record(slow_node()) + "\n";
  for (int round = 0; round < 3000; ++round) {
    std::string mutated = text;
    for (std::size_t change = random() % 4; change <= 4; ++change) {
      const std::size_t place = random() % mutated.size();
      if (random() % 2 == 0) {
        mutated[place] = static_cast<char>(random());
      } else {
        mutated.erase(place, 1 + random() % 20);
      }
    }
    for (const Record& record : parse_records(mutated).records) {
      EXPECT_FALSE(record.unfit.host.empty());
      EXPECT_TRUE(parse_record(print_record(record)).has_value());
    }
  }
}

}  // namespace
}  // namespace muster::history
