// What the SLURM_ and PMI variables of an agent say to the workers it starts. Pure.
//
// Slurm wrote them for the agent: the agent's task number, the number of agents. Programs read them
// as their own (PyTorch Lightning, submitit and many scripts take SLURM_PROCID for the rank and
// SLURM_NTASKS for the world size), so for a worker they are rewritten to be true of the worker, as
// if Slurm had started it as a task. The table stands in launcher/plan/README.md.
#pragma once

#include <cstdint>
#include <span>

#include "rendezvous/base/environment.h"

namespace muster::slurm {

struct WorkerIdentity {
  std::uint32_t rank = 0;
  std::uint32_t local_rank = 0;
  std::uint32_t node = 0;                           // place in workers_per_node
  std::span<const std::uint32_t> workers_per_node;  // of the whole job, in node order
};

// Rewrites the per-task variables that are present and invents none; removes those that only an
// agent can have (the pid, the reserved ports) and those of MPI's process managers (PMI, PMI2,
// PMIx: a descriptor and a rank that belong to the agent make MPI_Init hang or lie in eight
// workers). The job's own variables stay.
void tell_worker_identity(Environment& environment, const WorkerIdentity& worker);

}  // namespace muster::slurm
