#include "collectives-bench/profile/yaml_tree.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

std::string error_of(std::string_view text) {
  const Result<YamlNode> tree = parse_yaml("f.yaml", text);
  return tree ? "parsed" : tree.error().message();
}

TEST(YamlTree, KeepsTextsListsMapsAndPlaces) {
  const Result<YamlNode> tree = parse_yaml("f.yaml", "a: [1, \"0x1\"]\nb:\n  c: d\n");
  ASSERT_TRUE(tree.has_value()) << tree.error().message();
  ASSERT_EQ(tree->kind, YamlNode::Kind::kMap);
  ASSERT_EQ(tree->items.size(), 4U);
  EXPECT_EQ(tree->items[0].text, "a");
  ASSERT_EQ(tree->items[1].kind, YamlNode::Kind::kList);
  EXPECT_EQ(tree->items[1].items.at(1).text, "0x1");
  EXPECT_EQ(tree->items[3].items.at(1).text, "d");
  EXPECT_EQ(tree->items[3].items.at(1).place, (YamlPlace{3, 6}));
}

TEST(YamlTree, GivesNothingForAnEmptyText) {
  const Result<YamlNode> tree = parse_yaml("f.yaml", "");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->kind, YamlNode::Kind::kNothing);
}

TEST(YamlTree, SaysWhereTheTextIsNoYaml) {
  EXPECT_EQ(error_of("a: 1\nb: [1, 2\n"),
            "f.yaml:3:1: nothing is given, and that is no YAML (end of sequence flow not found); "
            "expected lines of 'key: value', indented by spaces");
  EXPECT_EQ(error_of("a: 1\nb: c: 2\nd: 3\n"),
            "f.yaml:2:5: 'b: c: 2' is given, and that is no YAML (illegal map value); expected "
            "lines of 'key: value', indented by spaces");
}

TEST(YamlTree, QuotesNoControlCharactersOfALineThatIsNoYaml) {
  EXPECT_NE(error_of("a: b: \x1b[31m\n").find("'a: b: ?[31m'"), std::string::npos)
      << error_of("a: b: \x1b[31m\n");
}

TEST(YamlTree, RefusesWhatAProfileDoesNotNeed) {
  EXPECT_EQ(error_of("a: &x 1\nb: *x\n"),
            "f.yaml:1:4: an anchor (&name) is given; expected a plain value");
  EXPECT_EQ(error_of("a: !!int 1\n"),
            "f.yaml:1:4: the tag 'tag:yaml.org,2002:int' is given; expected a plain value");
  EXPECT_EQ(error_of("a: 1\n---\nb: 1\n"),
            "f.yaml:3:1: two documents are given; expected one: remove the '---'");
}

TEST(YamlTree, HasLimits) {
  EXPECT_EQ(error_of("a: " + std::string(17, '[') + std::string(17, ']')),
            "f.yaml:1:19: nested more than 16 levels deep");
  EXPECT_NE(error_of(std::string(100'000, '[')), "parsed");
  EXPECT_EQ(error_of(std::string(kMaxYamlBytes + 1, '#')),
            "f.yaml: 262145 bytes; expected at most 262144");
}

}  // namespace
}  // namespace muster::bench
