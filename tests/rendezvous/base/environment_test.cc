#include "rendezvous/base/environment.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Environment, TheFirstOfTwoEqualNamesWinsAsWithGetenv) {
  const char* block[] = {"A=1", "A=2", "B=x=y", "broken", nullptr};
  const Environment environment = Environment::from_block(block);
  EXPECT_EQ(environment.get("A"), "1");
  EXPECT_EQ(environment.get("B"), "x=y");
  EXPECT_EQ(environment.variables().size(), 2u);
}

TEST(Environment, SetReplacesAndUnsetRemoves) {
  Environment environment{{"A", "1"}};
  environment.set("A", "2");
  environment.set("B", "");
  EXPECT_EQ(environment.to_strings(), (std::vector<std::string>{"A=2", "B="}));
  environment.unset("A");
  EXPECT_FALSE(environment.has("A"));
  EXPECT_TRUE(environment.has("B"));
  EXPECT_EQ(environment.get_or("A", "none"), "none");
}

}  // namespace
}  // namespace muster
