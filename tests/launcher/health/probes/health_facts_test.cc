#include "launcher/health/probes/health_facts.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::health {
namespace {

HealthFacts rich_facts() {
  HealthFacts facts = healthy_node();
  facts.gpus[1].nvlinks_down = {3, 4};
  facts.gpus[1].processes = std::vector<std::uint64_t>{1, 2};
  facts.gpus[2].ecc_enabled = Number::none("Not \"Supported\"");
  facts.host.kernel_xids = std::vector<XidEvent>{{"0000:53:00", 79, 5}};
  facts.driver_problem = "odd";
  return facts;
}

TEST(HealthFacts, ComeBackAsTheyWereWritten) {
  for (const HealthFacts& facts : {rich_facts(), HealthFacts{}}) {
    const Result<HealthFacts> back = parse_health_facts(encode(facts));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(*back, facts);
  }
}

TEST(HealthFacts, OfAWholeP5NodeAreSmall) {
  EXPECT_LT(encode(healthy_node()).size(), 16'384U);
}

TEST(HealthFacts, NameTheFieldThatIsMissingOrWrong) {
  EXPECT_EQ(parse_health_facts("[]").error().message(), "the health facts are no JSON object");
  EXPECT_EQ(parse_health_facts("{").error().message(), "the health facts are no JSON object");
  EXPECT_EQ(parse_health_facts("{}").error().message(),
            "the health facts have no good 'taken_at_ms'; expected what encode writes");
  std::string text = encode(rich_facts());
  text.replace(text.find("\"pcie_width\":16"), 15, "\"pcie_width\":-6");
  EXPECT_EQ(parse_health_facts(text).error().message(),
            "the health facts have no good 'pcie_width'; expected what encode writes");
}

TEST(HealthFacts, CutsWhatIsTooLongAndReplacesWhatIsNoText) {
  HealthFacts facts;
  facts.driver_problem = std::string(10'000, 'x') + "\xff";
  facts.host_problem = "\xff\xfe";
  facts.gpus.resize(1000);
  const Result<HealthFacts> back = parse_health_facts(encode(facts));
  ASSERT_TRUE(back.has_value()) << back.error().message();
  EXPECT_EQ(back->driver_problem.size(), kMaxFactText);
  EXPECT_EQ(back->gpus.size(), kMaxFactItems);
}

TEST(HealthFacts, SurviveMutations) {
  std::mt19937 random(11);
  const std::string text = encode(rich_facts());
  int parsed = 0;
  for (int round = 0; round < 500; ++round) {
    std::string mutant = text;
    for (int i = 0; i < 2; ++i) mutant[random() % mutant.size()] = static_cast<char>(random());
    if (parse_health_facts(mutant)) ++parsed;
  }
  EXPECT_LT(parsed, 500);
}

}  // namespace
}  // namespace muster::health
