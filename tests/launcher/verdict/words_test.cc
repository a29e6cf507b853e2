#include "launcher/verdict/words.h"

#include <gtest/gtest.h>

namespace muster::verdict {
namespace {

TEST(Words, OfLibrariesThatLostAPeerAreComplaints) {
  for (
      const char* text :
      {"RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by "
       "peer [10.77.0.2]:43211",
       "RuntimeError: [3] is setting up NCCL communicator and retrieving ncclUniqueId from [0] via "
       "c10d key-value store by key '0', but store->get('0') got error: Connection reset by peer",
       "torch.distributed.DistNetworkError: failed to recv, got 0 bytes",
       "ncclRemoteError: A call failed possibly due to a network error or a remote process exiting "
       "prematurely.",
       "[Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=9)",
       "RuntimeError: Broken pipe", "ConnectionResetError: [Errno 104] Connection reset by peer"}) {
    EXPECT_TRUE(complains_about_peer(text)) << text;
  }
}

TEST(Words, OfAProgramAboutItselfAreNone) {
  for (const char* text :
       {"ValueError: boom", "torch.OutOfMemoryError: CUDA out of memory.", "Segmentation fault",
        "RuntimeError: CUDA error: an illegal memory access was encountered",
        "ncclUnhandledCudaError: Call to CUDA function failed.",
        "ncclSystemError: System call (e.g. socket, malloc) or external library call failed",
        "AssertionError", ""}) {
    EXPECT_FALSE(complains_about_peer(text)) << text;
    EXPECT_FALSE(answers_stop(text)) << text;
  }
}

TEST(Words, ThatAnswerAStopAreKnown) {
  EXPECT_TRUE(answers_stop("KeyboardInterrupt"));
  EXPECT_TRUE(answers_stop("received SIGTERM, saving"));
  EXPECT_FALSE(answers_stop("stop"));
}

}  // namespace
}  // namespace muster::verdict
