#include "launcher/verdict/error_file.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace muster::verdict {
namespace {

constexpr std::string_view kRecorded =
    R"({"message": {"message": "ValueError: boom", "extraInfo": {"py_callstack": )"
    R"("Traceback (most recent call last):\n  File \"a.py\", line 1, in main\nValueError: boom\n", )"
    R"("timestamp": "1700000000"}}})";

TEST(ErrorFile, ReadsWhatTorchRecords) {
  const ErrorFile file = parse_error_file(kRecorded).value();
  EXPECT_EQ(file.message, "ValueError: boom");
  EXPECT_EQ(file.call_stack,
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in main\n"
            "ValueError: boom\n");
  EXPECT_EQ(file.seconds, 1700000000);
}

TEST(ErrorFile, ReadsAPlainMessage) {
  EXPECT_EQ(parse_error_file(R"({"message": "killed"})").value(),
            (ErrorFile{"killed", "", std::nullopt}));
}

TEST(ErrorFile, ATimestampMayBeANumberAndIsDroppedWhenItIsNone) {
  const auto seconds = [](const std::string& timestamp) {
    return parse_error_file(R"({"message":{"message":"x","extraInfo":{"timestamp":)" + timestamp +
                            "}}}")
        .value()
        .seconds;
  };
  EXPECT_EQ(seconds("1700000000"), 1700000000);
  EXPECT_EQ(seconds("\"1700000000\""), 1700000000);
  for (const char* bad : {"\"soon\"", "-5", "null", "[1]", "1e300", "9223372036854775807",
                          "18446744073709551615", "\"99999999999999999999999\""}) {
    EXPECT_EQ(seconds(bad), std::nullopt) << bad;
  }
}

TEST(ErrorFile, RefusesWhatIsNone) {
  for (const char* bytes : {"", "{}", "[]", "null", "{\"message\": 3}", "{\"message\": \"\"}",
                            "{\"message\": {}}", "{\"message\": {\"message\": 7}}", "boom"}) {
    const auto file = parse_error_file(bytes);
    ASSERT_FALSE(file) << bytes;
    EXPECT_EQ(file.error().code(), ErrorCode::kProtocol);
  }
}

TEST(ErrorFile, HasLimits) {
  EXPECT_EQ(parse_error_file(std::string(kMaxErrorFile + 1, ' ')).error().code(),
            ErrorCode::kLimit);
  const std::string long_text(100'000, 'x');
  const ErrorFile file =
      parse_error_file(R"({"message":{"message":")" + long_text +
                       R"(","extraInfo":{"py_callstack":")" + long_text + "END\"}}}")
          .value();
  EXPECT_EQ(file.message.size(), kMaxErrorMessage);
  EXPECT_EQ(file.call_stack.size(), kMaxErrorCallStack);
  EXPECT_TRUE(file.call_stack.ends_with("END"));
}

TEST(ErrorFile, DeepNestingIsHarmless) {
  constexpr std::size_t kDepth = 50'000;
  EXPECT_FALSE(parse_error_file(std::string(kDepth, '[')));
  EXPECT_FALSE(parse_error_file("{\"message\":" + std::string(kDepth, '[') +
                                std::string(kDepth, ']') + "}"));
}

TEST(ErrorFile, AnyMutationGivesAFileOrAnError) {
  std::mt19937 random(7);
  std::size_t accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(kRecorded);
    for (unsigned change = 0; change < 1 + random() % 3; ++change) {
      const std::size_t place = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[place] = static_cast<char>(random() % 256);
          break;
        case 1:
          bytes.erase(place, 1 + random() % 20);
          break;
        default:
          bytes.insert(place, 1, static_cast<char>(random() % 256));
      }
    }
    const auto file = parse_error_file(bytes);
    accepted += file ? 1 : 0;
    ASSERT_TRUE(file ? !(file->message.empty() && file->call_stack.empty())
                     : !file.error().message().empty());
  }
  EXPECT_GT(accepted, 30u);
  EXPECT_LT(accepted, 2970u);
}

}  // namespace
}  // namespace muster::verdict
