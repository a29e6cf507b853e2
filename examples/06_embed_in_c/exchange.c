// A C99 program whose processes meet, agree on one 128-byte id as NCCL programs do
// (ncclUniqueId), and start together.
//
//   srun -n4 exchange        each task is one member
//   exchange RANK SIZE       the same without Slurm: SIZE processes on this machine
#include <muster_rendezvous.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATIENCE_MS = 60000 };

typedef struct unique_id {
  unsigned char bytes[128];
} unique_id;

// What ncclGetUniqueId would do.
static void make_id(unique_id* id) {
  for (size_t i = 0; i < sizeof id->bytes; ++i) id->bytes[i] = (unsigned char)(7 * i + 1);
}

static unsigned checksum(const unique_id* id) {
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof id->bytes; ++i) sum = 31 * sum + id->bytes[i];
  return sum;
}

static void stop_on(const muster_error* error) {
  if (error->code == MUSTER_OK) return;
  fprintf(stderr, "exchange: %s (%s)\n", error->text, muster_code_name(error->code));
  exit(1);
}

static muster_group* join_on_this_machine(uint32_t rank, uint32_t size, muster_error* error) {
  const char* const hosts[] = {"127.0.0.1"};
  muster_join_options options = {0};
  muster_group* group = NULL;
  options.struct_size = sizeof options;
  options.job = 600;  // any number that no other meeting of this machine has now
  options.members_per_node = &size;
  options.nodes = 1;
  options.local_rank = rank;
  options.hosts = hosts;
  options.host_count = 1;
  muster_join(&options, PATIENCE_MS, &group, error);  // the secret: MUSTER_TOKEN, or munge
  return group;
}

int main(int argc, char** argv) {
  muster_error error;
  muster_group* group = NULL;
  unique_id id;

  if (argc == 3) {
    const int rank = atoi(argv[1]), size = atoi(argv[2]);
    if (size < 1 || rank < 0 || rank >= size) {
      fprintf(stderr, "exchange: rank '%s' of '%s'; write a rank from 0, below the size\n", argv[1],
              argv[2]);
      return 2;
    }
    group = join_on_this_machine((uint32_t)rank, (uint32_t)size, &error);
  } else {
    muster_join_environment(NULL, NULL, 0, PATIENCE_MS, &group, &error);
  }
  stop_on(&error);

  if (muster_rank(group) == 0) make_id(&id);
  muster_broadcast(group, 0, &id, sizeof id, PATIENCE_MS, &error);
  stop_on(&error);
  // Here every process would call ncclCommInitRank(&communicator, size, id, rank).

  muster_barrier(group, PATIENCE_MS, &error);
  stop_on(&error);

  muster_peer me = {0};
  me.struct_size = sizeof me;
  muster_peer_at(group, muster_rank(group), &me, &error);
  stop_on(&error);
  printf("rank %u of %u on %s: id %08x\n", (unsigned)me.rank, (unsigned)muster_size(group), me.host,
         checksum(&id));

  muster_leave(group, PATIENCE_MS, &error);
  stop_on(&error);
  muster_free(group);
  return 0;
}
