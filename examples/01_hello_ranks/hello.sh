#!/bin/sh
# One line from each worker: who it is, where it runs, and where rank 0 is to be met.
: "${RANK:?is not set; start this with muster: srun muster examples/01_hello_ranks/hello.sh}"

echo "rank $RANK of $WORLD_SIZE, local rank $LOCAL_RANK of $LOCAL_WORLD_SIZE," \
  "node ${SLURMD_NODENAME:-$(uname -n)}, rank 0 at $MASTER_ADDR:$MASTER_PORT"
