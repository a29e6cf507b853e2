#!/bin/sh
# One line from each worker: what it was told of the world, and the host it runs on.
read -r host </proc/sys/kernel/hostname
echo "world rank=$RANK size=$WORLD_SIZE local=$LOCAL_RANK locals=$LOCAL_WORLD_SIZE" \
  "group=$GROUP_RANK groups=$GROUP_WORLD_SIZE master=$MASTER_ADDR port=$MASTER_PORT host=$host" \
  "procid=$SLURM_PROCID localid=$SLURM_LOCALID ntasks=$SLURM_NTASKS run=$TORCHELASTIC_RUN_ID"
