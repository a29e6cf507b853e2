#define _POSIX_C_SOURCE 200809L
#include "members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_MEMBERS = 16 };

static const char* const hosts[] = {"127.0.0.1"};
static const char key[] = "a key of the tests";

void fail_at(const char* file, int line, const char* what, const char* detail) {
  fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, detail);
  exit(1);
}

meeting new_meeting(const uint32_t* members_per_node, uint32_t nodes) {
  static uint64_t last = 0;
  meeting where;
  where.job = (uint64_t)getpid() * 1000 + ++last;
  where.members_per_node = members_per_node;
  where.nodes = nodes;
  return where;
}

muster_join_options options_of(const meeting* where, uint32_t rank) {
  muster_join_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.job = where->job;
  options.members_per_node = where->members_per_node;
  options.nodes = where->nodes;
  options.local_rank = rank;
  while (options.local_rank >= where->members_per_node[options.node])
    options.local_rank -= where->members_per_node[options.node++];
  options.hosts = hosts;
  options.host_count = 1;
  options.key = key;
  options.key_size = sizeof key;
  return options;
}

muster_group* join_as(const meeting* where, uint32_t rank) {
  const muster_join_options options = options_of(where, rank);
  muster_group* group = NULL;
  muster_error error;
  EXPECT_CODE(MUSTER_OK, muster_join(&options, LIMIT_MS, &group, &error));
  CHECK(muster_rank(group) == rank);
  return group;
}

void leave_and_free(muster_group* group) {
  muster_error error;
  EXPECT_CODE(MUSTER_OK, muster_leave(group, LIMIT_MS, &error));
  muster_free(group);
}

void run_members(member_function member, const meeting* where, uint32_t count) {
  pid_t children[MOST_MEMBERS];
  CHECK(count <= MOST_MEMBERS);
  for (uint32_t rank = 0; rank < count; ++rank) {
    children[rank] = fork();
    CHECK(children[rank] >= 0);
    if (children[rank] == 0) {
      alarm(3 * LIMIT_MS / 1000); /* a test that hangs dies */
      member(where, rank);
      exit(0);
    }
  }
  int failed = 0;
  for (uint32_t rank = 0; rank < count; ++rank) {
    int status = 0;
    CHECK(waitpid(children[rank], &status, 0) == children[rank]);
    if (status == 0) continue;
    fprintf(stderr, "member %u ended with wait status %d\n", (unsigned)rank, status);
    failed = 1;
  }
  if (failed) exit(1);
}
