#include "launcher/history/complaints.h"

#include <gtest/gtest.h>

namespace muster::history {
namespace {

using Complaints = std::vector<slurm::NodeComplaint>;

TEST(Complaints, TellHowSlowANodeIs) {
  EXPECT_EQ(complaints_of({{"node3", "", {}, "slow", 0.4123, "pairs"}}),
            (Complaints{{"node3", "slow, 0.41 of the others"}}));
}

TEST(Complaints, TellTheEvidenceWhereNothingWasMeasured) {
  EXPECT_EQ(
      complaints_of({{"a", "", {}, "hung", 0, "no answer in 20 s"}, {"b", "", {}, "hung", 0, ""}}),
      (Complaints{{"a", "hung: no answer in 20 s"}, {"b", "hung"}}));
}

TEST(Complaints, JoinTheFaultsOfANode) {
  EXPECT_EQ(complaints_of({{"a", "", {}, "slow", 0.5, ""},
                           {"b", "", {}, "hung", 0, ""},
                           {"a", "", {}, "wrong data", 0, ""}}),
            (Complaints{{"a", "slow, 0.50 of the others; wrong data"}, {"b", "hung"}}));
}

TEST(Complaints, AreNoneForNobody) {
  EXPECT_TRUE(complaints_of({}).empty());
}

}  // namespace
}  // namespace muster::history
