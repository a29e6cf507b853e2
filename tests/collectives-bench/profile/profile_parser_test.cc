#include "collectives-bench/profile/profile_parser.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::bench {
namespace {

constexpr std::string_view kText = R"(profile: p5
instance_types: [p5.48xlarge, "p5.x"]
gpus: {model: H100, count: 8, nvlinks: 18, pcie_width: 16, pcie_generation: 5}
nics: {kind: efa, count: 32, gbit_per_second: 100}
sources:
  readme: "https://example.org/a: b #c"
busbw:
  - operation: all_reduce
    nodes: 2
    kind: published
    tolerance: 0.15
    points:
      - {size: 512M, busbw: 396.25, source: readme}
      - {size: 1G, busbw: 435, source: readme, step: true}
  - operation: all_gather
    nodes: 1
    ranks_per_node: 5
    algorithm: Ring
    kind: recorded
    tolerance: 0
    points: [{size: 1000, busbw: 0.1, source: readme}]
environment:
  - {name: NCCL_X, value: "^a,b", reason: it helps, source: readme}
host: {nofile: 65536}
)";

std::string error_of(std::string text) {
  const Result<Profile> profile = parse_profile("p.yaml", text);
  return profile ? "parsed" : profile.error().message();
}

// kText with its first `what` replaced.
std::string with(std::string_view what, std::string_view instead) {
  std::string text(kText);
  const std::size_t place = text.find(what);
  EXPECT_NE(place, std::string::npos) << what;
  return text.replace(place, what.size(), instead);
}

TEST(ProfileParser, ReadsEveryField) {
  const Result<Profile> profile = parse_profile("p.yaml", kText);
  ASSERT_TRUE(profile.has_value()) << profile.error().message();
  EXPECT_EQ(profile->name, "p5");
  EXPECT_EQ(profile->instance_types, (std::vector<std::string>{"p5.48xlarge", "p5.x"}));
  EXPECT_EQ(profile->gpus, (ExpectedGpus{"H100", 8, 18, 16, 5}));
  EXPECT_EQ(profile->nics, (ExpectedNics{true, 32, 100}));
  EXPECT_EQ(profile->host, ExpectedHost{65536});
  EXPECT_EQ(profile->sources.at("readme"), "https://example.org/a: b #c");
  EXPECT_EQ(
      profile->busbw,
      (std::vector<BusbwRow>{
          {"all_reduce",
           2,
           8,
           "",
           FigureKind::kPublished,
           0.15,
           {{512U << 20, 396.25, "readme", false}, {1U << 30, 435, "readme", true}}},
          {"all_gather", 1, 5, "Ring", FigureKind::kRecorded, 0, {{1000, 0.1, "readme", false}}}}));
  EXPECT_EQ(profile->environment,
            (std::vector<EnvironmentSetting>{{"NCCL_X", "^a,b", "it helps", "readme"}}));
}

TEST(ProfileParser, ReadsBackWhatIsWritten) {
  const Result<Profile> profile = parse_profile("p.yaml", kText);
  ASSERT_TRUE(profile.has_value());
  Profile bare;
  bare.name = "x\\\"y: #";
  for (const Profile& one : {*profile, bare}) {
    const Result<Profile> back = parse_profile("q.yaml", write_profile(one));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(*back, one);
  }
}

TEST(ProfileParser, NamesAnUnknownKeyItsPlaceAndTheKeyThatIsMeant) {
  EXPECT_EQ(error_of(with("gpus:", "gpu:")),
            "p.yaml:3:1: profile: the key 'gpu' is given; expected one of profile, "
            "instance_types, gpus, nics, host, sources, busbw, environment: write 'gpus' "
            "(and 1 more error)");
  EXPECT_EQ(error_of(with("nvlinks", "colour")),
            "p.yaml:3:31: gpus: the key 'colour' is given; expected one of model, count, nvlinks, "
            "pcie_width, pcie_generation: remove it");
}

TEST(ProfileParser, RefusesAKeyThatIsGivenTwice) {
  EXPECT_EQ(error_of(with("nvlinks: 18", "count: 9")),
            "p.yaml:3:31: gpus: the key 'count' is given twice; expected once: remove one of "
            "them");
}

TEST(ProfileParser, SaysWhatANumberShouldBe) {
  EXPECT_EQ(error_of(with("count: 32", "count: many")),
            "p.yaml:4:26: nics.count: 'many' is given; expected a whole number of 0 to 1024");
  EXPECT_EQ(error_of(with("nodes: 2", "nodes: 0")),
            "p.yaml:9:12: busbw.nodes: '0' is given; expected a whole number of 1 to 65536");
  EXPECT_EQ(error_of(with("0.15", "15%")),
            "p.yaml:11:16: busbw.tolerance: '15%' is given; expected a number of 0 to 0.99");
  EXPECT_EQ(error_of(with("435", "nan")),
            "p.yaml:14:27: points.busbw: 'nan' is given; expected a number of 1e-06 to 1000000");
  EXPECT_EQ(error_of(with("512M", "half")),
            "p.yaml:13:16: points.size: 'half' is given; expected a size such as 64M or 1G");
  EXPECT_EQ(error_of(with("step: true", "step: yes")),
            "p.yaml:14:54: points.step: 'yes' is given; expected true or false");
}

TEST(ProfileParser, SaysWhatAWordShouldBe) {
  EXPECT_EQ(error_of(with("kind: efa", "kind: ib")),
            "p.yaml:4:14: nics.kind: 'ib' is given; expected efa or any");
  EXPECT_EQ(error_of(with("kind: published", "kind: guessed")),
            "p.yaml:10:11: busbw.kind: 'guessed' is given; expected published or recorded");
  EXPECT_EQ(error_of(with("NCCL_X", "NCCL=X")),
            "p.yaml:23:12: environment.name: 'NCCL=X' is given; expected letters, digits and '_'");
}

TEST(ProfileParser, WantsASourceForEachFigure) {
  EXPECT_EQ(error_of(with("435, source: readme", "435")),
            "p.yaml:14:9: points: no 'source' is given; expected one: write 'source: ...'");
  EXPECT_EQ(error_of(with("435, source: readme", "435, source: hearsay")),
            "p.yaml:14:40: the source 'hearsay' is given; expected a name under 'sources': add it "
            "there");
}

TEST(ProfileParser, WantsSizesInOrderAndAtLeastOne) {
  EXPECT_EQ(error_of(with("512M", "1G")),
            "p.yaml:14:9: points: this size is not above the one before; expected ascending sizes");
  EXPECT_TRUE(error_of(with("[{size: 1000, busbw: 0.1, source: readme}]", "[]"))
                  .starts_with("p.yaml:15:5: busbw: no points are given; expected at least one"));
}

TEST(ProfileParser, SaysWhereAMapOrAListIsMissing) {
  EXPECT_EQ(error_of("profile: x\ngpus: 8\n"),
            "p.yaml:2:7: gpus: '8' is given; expected a map with the keys model, count, nvlinks, "
            "pcie_width, pcie_generation");
  EXPECT_EQ(error_of("profile: x\nbusbw: 8\n"),
            "p.yaml:2:8: profile.busbw: '8' is given; expected a list of at most 4096 items");
  EXPECT_TRUE(error_of("").starts_with("p.yaml:1:1: profile: nothing is given; expected a map"));
}

TEST(ProfileParser, TellsTheFirstErrorInOneLineAndCountsTheOthers) {
  std::string text = "profile: x\n";
  for (int i = 0; i < 25; ++i) text += "bad" + std::to_string(i) + ": 1\n";
  const std::string error = error_of(text);
  EXPECT_TRUE(error.starts_with("p.yaml:2:1: profile: the key 'bad0' is given; ")) << error;
  EXPECT_TRUE(error.ends_with(": remove it (and 24 more errors)")) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
}

TEST(ProfileParser, QuotesNoControlCharacters) {
  EXPECT_EQ(error_of("profile: x\n\"a\\x1b[31m\": 1\n").find('\x1b'), std::string::npos);
  EXPECT_TRUE(
      error_of("profile: \"a\\x1b[31m\"\n")
          .starts_with("p.yaml:1:10: profile.profile: 'a?[31m' is given; expected one line"));
}

// What parses also reads back; nothing crashes, every error has a place.
TEST(ProfileParser, SurvivesMutations) {
  std::mt19937 random(4);
  const std::string_view letters = "{}[]:,-#\"'\\&*!|>% \n\t0aZ\x01\xc2\x85\xff";
  int parsed = 0;
  for (int round = 0; round < 1'500; ++round) {
    std::string mutant(kText);
    for (int i = 0; i < 1 + round % 3; ++i) {
      const std::size_t place = random() % mutant.size();
      switch (random() % 3) {
        case 0:
          mutant[place] = letters[random() % letters.size()];
          break;
        case 1:
          mutant.erase(place, 1 + random() % 20);
          break;
        default:
          mutant.insert(place, mutant.substr(random() % mutant.size(), random() % 40));
      }
    }
    const Result<Profile> profile = parse_profile("p.yaml", mutant);
    if (!profile) {
      EXPECT_TRUE(profile.error().message().starts_with("p.yaml:")) << profile.error().message();
      EXPECT_EQ(profile.error().message().find('\n'), std::string::npos);
      continue;
    }
    ++parsed;
    const Result<Profile> back = parse_profile("q.yaml", write_profile(*profile));
    ASSERT_TRUE(back.has_value()) << back.error().message() << "\n" << mutant;
    EXPECT_EQ(*back, *profile) << mutant;
  }
  EXPECT_GT(parsed, 20) << "the mutations break everything: they test nothing";
}

}  // namespace
}  // namespace muster::bench
