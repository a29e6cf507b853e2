#include "launcher/history/cluster_facts.h"

#include <gtest/gtest.h>

#include "tests/launcher/history/temporary_folder.h"

namespace muster::history {
namespace {

TEST(ClusterFacts, KnowHyperpodByItsFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(find_cluster_facts(7, folder.file(".")), (slurm::ClusterFacts{true, 7}));
  EXPECT_EQ(find_cluster_facts(7, folder.file("missing")), (slurm::ClusterFacts{false, 7}));
  EXPECT_EQ(find_cluster_facts(0, folder.write("file", "")), (slurm::ClusterFacts{false, 0}));
}

}  // namespace
}  // namespace muster::history
