#include "launcher/verdict/recheck.h"

#include <gtest/gtest.h>

namespace muster::verdict {
namespace {

FirstCause worker_that_says(std::string words, bool complaint = false) {
  FirstCause cause;
  cause.text = "exit code 1: " + std::move(words);
  cause.complaint = complaint;
  return cause;
}

TEST(Recheck, WordsOfAGpuPointToIt) {
  for (const char* words :
       {"RuntimeError: CUDA error: unspecified launch failure",
        "torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered",
        "torch.distributed.DistBackendError: NCCL error in: x.cpp:1, unhandled cuda error",
        "RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm",
        "RuntimeError: No CUDA GPUs are available"}) {
    EXPECT_EQ(suspect_of(worker_that_says(words)), Suspect::kGpu) << words;
  }
}

TEST(Recheck, WordsOfATransportPointToTheNetwork) {
  for (const char* words :
       {"torch.distributed.DistBackendError: NCCL error in: x.cpp:1275, unhandled system error "
        "(run with NCCL_DEBUG=INFO for details), NCCL version 2.18.1",
        "NCCL WARN NET/OFI Request 0x7f completed with error. RC: 103", "ibv_poll_cq: status 12"}) {
    EXPECT_EQ(suspect_of(worker_that_says(words)), Suspect::kNetwork) << words;
  }
}

TEST(Recheck, AComplaintThatNobodyElseExplainsPointsToAPeer) {
  const std::string words = "[Rank 3] Watchdog caught collective operation timeout: WorkNCCL";
  EXPECT_EQ(suspect_of(worker_that_says(words, true)), Suspect::kPeer);
  EXPECT_EQ(suspect_of(worker_that_says(words, false)), Suspect::kNothing);
}

TEST(Recheck, WhatAProgramDoesToItselfPointsToNothing) {
  for (const char* words :
       {"ValueError: boom", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "RuntimeError: CUDA error: out of memory",
        "RuntimeError: CUDA error: device-side assert triggered",
        "RuntimeError: CUDA error: invalid device ordinal",
        "torch.distributed.DistBackendError: NCCL error in: x.cpp:1, invalid usage",
        "KeyError: 'profile'", ""}) {
    EXPECT_EQ(suspect_of(worker_that_says(words)), Suspect::kNothing) << words;
  }
}

TEST(Recheck, ALostNodeOrACancelSaysNothingOfTheOthers) {
  for (const CauseKind kind : {CauseKind::kNodeLost, CauseKind::kAgentLost, CauseKind::kCancel,
                               CauseKind::kStartFailure}) {
    FirstCause cause = worker_that_says("CUDA error: unspecified launch failure");
    cause.kind = kind;
    EXPECT_EQ(suspect_of(cause), Suspect::kNothing);
  }
}

}  // namespace
}  // namespace muster::verdict
