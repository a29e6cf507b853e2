/* The C ABI as a C99 program uses it, by several processes. `c_api_test` runs all cases,
 * `c_api_test NAME` one. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "members.h"

static const uint32_t three_on_two_nodes[] = {2, 1};
static const uint32_t two[] = {2};
static const uint32_t one[] = {1};

/* --- what every member may do ------------------------------------------------------------------
 */

static void use_the_store(muster_group* group, uint32_t rank) {
  muster_error error;
  muster_bytes value;
  const char* const keys[] = {"of 0", "of 1", "of 2"};
  EXPECT_CODE(MUSTER_OK, muster_set(group, keys[rank], "a\0b", 3, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_wait(group, keys, 3, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_get(group, keys[(rank + 1) % 3], &value, LIMIT_MS, &error));
  CHECK(value.size == 3 && memcmp(value.data, "a\0b", 4) == 0); /* with the zero that follows */
  muster_bytes_free(&value);
  CHECK(value.data == NULL && value.size == 0);
  EXPECT_CODE(MUSTER_OK, muster_set(group, "empty", NULL, 0, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_get(group, "empty", &value, LIMIT_MS, &error));
  CHECK(value.size == 0 && *(const char*)value.data == '\0');
  muster_bytes_free(&value);
  int64_t sum = 0;
  EXPECT_CODE(MUSTER_OK, muster_add(group, "sum", -2, &sum, LIMIT_MS, &error));
  CHECK(sum == -2 || sum == -4 || sum == -6);
  EXPECT_CODE(MUSTER_OK, muster_barrier(group, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_add(group, "sum", 0, NULL, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_get(group, "sum", &value, LIMIT_MS, &error));
  CHECK(strcmp(value.data, "-6") == 0);
  muster_bytes_free(&value);
}

static void use_the_collectives(muster_group* group, uint32_t rank) {
  muster_error error;
  muster_bytes all[3];
  /* Rank 0 gives nothing, rank 1 one byte, rank 2 two. */
  EXPECT_CODE(MUSTER_OK, muster_all_gather(group, "xy", rank, all, LIMIT_MS, &error));
  for (uint32_t i = 0; i < 3; ++i) {
    CHECK(all[i].size == i && memcmp(all[i].data, "xy", i) == 0);
    muster_bytes_free(&all[i]);
  }
  for (uint32_t root = 0; root < 3; ++root) {
    unsigned char id[128];
    memset(id, (int)rank + 1, sizeof id);
    EXPECT_CODE(MUSTER_OK, muster_broadcast(group, root, id, sizeof id, LIMIT_MS, &error));
    CHECK(id[0] == root + 1 && id[127] == root + 1);
  }
}

static void look_at_the_peers(muster_group* group) {
  muster_error error;
  for (uint32_t rank = 0; rank < 3; ++rank) {
    muster_peer peer;
    peer.struct_size = sizeof peer;
    EXPECT_CODE(MUSTER_OK, muster_peer_at(group, rank, &peer, &error));
    CHECK(peer.rank == rank && peer.node == rank / 2 && peer.local_rank == rank % 2);
    CHECK(peer.pid != 0 && strlen(peer.host) > 0);
    CHECK(strcmp(peer.address, "127.0.0.1") == 0);
    CHECK(peer.facts_size == rank && memcmp(peer.facts, "fac", rank) == 0);
  }
}

static void do_everything(const meeting* where, uint32_t rank) {
  muster_join_options options = options_of(where, rank);
  muster_group* group = NULL;
  muster_error error;
  options.facts = "facts";
  options.facts_size = rank;
  EXPECT_CODE(MUSTER_OK, muster_join(&options, LIMIT_MS, &group, &error));
  CHECK(error.text[0] == '\0');
  CHECK(muster_rank(group) == rank && muster_size(group) == 3);
  look_at_the_peers(group);
  use_the_store(group, rank);
  use_the_collectives(group, rank);
  leave_and_free(group);
}

static void three_members_do_everything(void) {
  const meeting where = new_meeting(three_on_two_nodes, 2);
  run_members(do_everything, &where, 3);
}

static void join_two_meetings(const meeting* where, uint32_t rank) {
  muster_join_options options = options_of(where, rank);
  muster_group* first = join_as(where, rank);
  muster_group* second = NULL;
  muster_error error;
  options.name = "second";
  EXPECT_CODE(MUSTER_OK, muster_join(&options, LIMIT_MS, &second, &error));
  EXPECT_CODE(MUSTER_OK, muster_barrier(first, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_barrier(second, LIMIT_MS, &error));
  leave_and_free(first);
  EXPECT_CODE(MUSTER_OK, muster_barrier(second, LIMIT_MS, &error));
  leave_and_free(second);
}

static void a_name_tells_two_meetings_apart(void) {
  const meeting where = new_meeting(two, 1);
  run_members(join_two_meetings, &where, 2);
}

/* --- what goes wrong ----------------------------------------------------------------------------
 */

static void a_join_without_the_others_ends_and_names_them(void) {
  const meeting where = new_meeting(two, 1);
  const muster_join_options options = options_of(&where, 0);
  muster_group* group = (muster_group*)&options;
  muster_error error;
  EXPECT_CODE(MUSTER_TIMEOUT, muster_join(&options, 2000, &group, &error));
  CHECK(group == NULL);
  EXPECT_TEXT("node0");
  CHECK(muster_join(&options, 50, &group, NULL) == MUSTER_TIMEOUT);
}

static void wait_in_vain(const meeting* where, uint32_t rank) {
  static const char* const keys[] = {"absent"};
  muster_group* group = join_as(where, rank);
  muster_error error;
  muster_bytes value = {&error, 1};
  EXPECT_CODE(MUSTER_TIMEOUT, muster_get(group, "absent", &value, 50, &error));
  EXPECT_TEXT("absent");
  CHECK(value.data == NULL && value.size == 0);
  EXPECT_CODE(MUSTER_TIMEOUT, muster_wait(group, keys, 1, 0, &error));
  if (rank == 0) {
    EXPECT_CODE(MUSTER_TIMEOUT, muster_barrier(group, 300, &error));
    EXPECT_TEXT("1 of 2 members did not come");
    EXPECT_CODE(MUSTER_OK, muster_set(group, "over", "1", 1, LIMIT_MS, &error));
  } else {
    EXPECT_CODE(MUSTER_OK, muster_get(group, "over", &value, LIMIT_MS, &error));
    muster_bytes_free(&value);
  }
  leave_and_free(group);
}

static void waits_end_at_their_timeout(void) {
  const meeting where = new_meeting(two, 1);
  run_members(wait_in_vain, &where, 2);
}

static void disagree_about_the_size(const meeting* where, uint32_t rank) {
  char bytes[8] = "before";
  muster_group* group = join_as(where, rank);
  muster_error error;
  if (rank == 0) {
    EXPECT_CODE(MUSTER_OK, muster_broadcast(group, 0, bytes, 8, LIMIT_MS, &error));
  } else {
    EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_broadcast(group, 0, bytes, 7, LIMIT_MS, &error));
    EXPECT_TEXT("rank 0 sent 8 bytes, but 7 are expected here");
    CHECK(strcmp(bytes, "before") == 0);
  }
  leave_and_free(group);
}

static void broadcast_of_two_sizes_is_refused(void) {
  const meeting where = new_meeting(two, 1);
  run_members(disagree_about_the_size, &where, 2);
}

static void options_that_cannot_work_are_refused(void) {
  static const uint32_t none_on_node_0[] = {0, 1};
  static const uint32_t too_many[] = {65536, 1};
  static const uint16_t no_ports[] = {0};
  static const char* const no_hosts[] = {""};
  const meeting where = new_meeting(two, 1);
  const muster_join_options good = options_of(&where, 0);
  muster_group* group = NULL;
  muster_error error;
  muster_join_options options;
#define EXPECT_REFUSED(wanted, change, part)                            \
  options = good;                                                       \
  change;                                                               \
  EXPECT_CODE(wanted, muster_join(&options, LIMIT_MS, &group, &error)); \
  EXPECT_TEXT(part);                                                    \
  CHECK(group == NULL)
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.struct_size = 0, "struct_size is 0, expected");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.struct_size -= 1, "struct_size");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.struct_size = SIZE_MAX, "struct_size");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.members_per_node = NULL, "members_per_node");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.nodes = 0, "members_per_node");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT,
                 (options.members_per_node = none_on_node_0, options.nodes = 2), "node 0 serves");
  EXPECT_REFUSED(MUSTER_LIMIT, (options.members_per_node = too_many, options.nodes = 2), "65536");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.node = 1, "node is 1, expected 0 to 0");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.local_rank = 2, "node 0 has 2 members");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.hosts = NULL, "hosts");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.host_count = 0, "hosts");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.hosts = no_hosts, "hosts[0]");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.port_count = 1, "ports is NULL");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, (options.ports = no_ports, options.port_count = 1),
                 "port is 0");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.key = NULL, "key is NULL");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.key_size = 15, "15 bytes, expected at least 16");
  EXPECT_REFUSED(MUSTER_INVALID_ARGUMENT, options.facts_size = 1, "facts is NULL");
  EXPECT_REFUSED(MUSTER_LIMIT, options.facts_size = MUSTER_MAX_FACTS + 1, "facts");
  EXPECT_REFUSED(MUSTER_LIMIT, options.name = "a name of more than forty-eight bytes, by one byte",
                 "name");
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_join(NULL, LIMIT_MS, &group, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_join(&good, LIMIT_MS, NULL, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_join(&good, -1, &group, &error));
  EXPECT_TEXT("every wait has an end");
}

static void a_newer_programs_options_are_taken_while_they_ask_for_nothing_new(void) {
  struct {
    muster_join_options known;
    uint64_t added;
  } newer;
  const meeting where = new_meeting(one, 1);
  muster_group* group = NULL;
  muster_error error;
  newer.known = options_of(&where, 0);
  newer.known.struct_size = sizeof newer;
  newer.added = 1;
  EXPECT_CODE(MUSTER_UNSUPPORTED, muster_join(&newer.known, LIMIT_MS, &group, &error));
  newer.added = 0;
  EXPECT_CODE(MUSTER_OK, muster_join(&newer.known, LIMIT_MS, &group, &error));
  leave_and_free(group);
}

static void misuse_gives_a_code(void) {
  const meeting where = new_meeting(one, 1);
  muster_group* group = join_as(&where, 0);
  muster_error error;
  muster_bytes value;
  muster_peer peer;
  char bytes[1] = "";
  char* const long_key = malloc(MUSTER_MAX_KEY + 2);
  char* const large = calloc(1, MUSTER_MAX_VALUE + 1);
  const char* const null_key[] = {NULL};
  CHECK(long_key != NULL && large != NULL);
  memset(long_key, 'k', MUSTER_MAX_KEY + 1);
  long_key[MUSTER_MAX_KEY + 1] = '\0';
  CHECK(muster_rank(NULL) == MUSTER_NO_RANK && muster_size(NULL) == 0);
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_set(NULL, "k", "v", 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_set(group, NULL, "v", 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_set(group, "k", NULL, 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_set(group, "k", "v", 1, -1, &error));
  EXPECT_CODE(MUSTER_LIMIT, muster_set(group, long_key, "v", 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_LIMIT, muster_set(group, "k", large, MUSTER_MAX_VALUE + 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_set(group, "k", large, MUSTER_MAX_VALUE, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_get(group, "k", NULL, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_get(group, NULL, &value, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_wait(group, NULL, 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_wait(group, null_key, 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_LIMIT, muster_wait(group, null_key, SIZE_MAX, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_add(group, "k", 1, NULL, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_all_gather(group, "x", 1, NULL, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_broadcast(group, 1, bytes, 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_broadcast(group, 0, NULL, 1, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_barrier(NULL, LIMIT_MS, &error));
  peer.struct_size = sizeof peer;
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_peer_at(group, 1, &peer, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_peer_at(NULL, 0, &peer, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_peer_at(group, 0, NULL, &error));
  peer.struct_size = 8;
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_peer_at(group, 0, &peer, &error));
  CHECK(muster_set(group, NULL, "v", 1, LIMIT_MS, NULL) == MUSTER_INVALID_ARGUMENT);
  muster_bytes_free(NULL);
  EXPECT_CODE(MUSTER_OK, muster_leave(group, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_leave(group, LIMIT_MS, &error));
  EXPECT_TEXT("was left before");
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_barrier(group, LIMIT_MS, &error));
  CHECK(muster_rank(group) == 0);
  muster_free(group);
  muster_free(NULL);
  free(long_key);
  free(large);
}

static void free_without_leave(const meeting* where, uint32_t rank) {
  muster_group* group = join_as(where, rank);
  muster_error error;
  if (rank == 1) {
    muster_free(group);
    return;
  }
  EXPECT_CODE(MUSTER_OK, muster_leave(group, LIMIT_MS, &error)); /* the other has left */
  muster_free(group);
}

static void free_alone_leaves_the_group(void) {
  const meeting where = new_meeting(two, 1);
  run_members(free_without_leave, &where, 2);
}

/* --- the environment ----------------------------------------------------------------------------
 */

static void set_number(const char* name, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)number);
  setenv(name, text, 1);
}

/* As Slurm would start three tasks on this node, with the last one as task 0 of the step. */
static void join_as_a_task(const meeting* where, uint32_t local_task) {
  const uint32_t rank = 2 - local_task;
  muster_group* group = NULL;
  muster_error error;
  muster_bytes all[3];
  muster_peer peer;
  char byte = (char)('a' + rank);
  set_number("SLURM_JOB_ID", where->job);
  set_number("SLURM_STEP_ID", 3);
  setenv("SLURM_STEP_NODELIST", "localhost", 1);
  setenv("SLURM_STEP_TASKS_PER_NODE", "3", 1);
  setenv("SLURM_NODEID", "0", 1);
  set_number("SLURM_LOCALID", local_task);
  set_number("SLURM_PROCID", rank);
  setenv("MUSTER_TOKEN", "a token of sixteen bytes or more", 1);
  EXPECT_CODE(MUSTER_OK, muster_join_environment("env", "facts", 5, LIMIT_MS, &group, &error));
  CHECK(muster_rank(group) == rank && muster_size(group) == 3);
  EXPECT_CODE(MUSTER_OK, muster_all_gather(group, &byte, 1, all, LIMIT_MS, &error));
  for (uint32_t i = 0; i < 3; ++i) {
    CHECK(all[i].size == 1 && *(const char*)all[i].data == (char)('a' + i));
    muster_bytes_free(&all[i]);
  }
  EXPECT_CODE(MUSTER_OK, muster_broadcast(group, 0, &byte, 1, LIMIT_MS, &error));
  CHECK(byte == 'a');
  peer.struct_size = sizeof peer;
  EXPECT_CODE(MUSTER_OK, muster_peer_at(group, 0, &peer, &error));
  CHECK(peer.rank == 0 && peer.local_rank == 2 && strcmp(peer.host, "localhost") == 0);
  CHECK(peer.facts_size == 5 && memcmp(peer.facts, "facts", 5) == 0);
  leave_and_free(group);
}

static void tasks_of_a_slurm_step_get_their_procid_as_rank(void) {
  const meeting where = new_meeting(three_on_two_nodes, 2);
  run_members(join_as_a_task, &where, 3);
}

static void an_environment_without_a_group_says_so(void) {
  muster_group* group = NULL;
  muster_error error;
  EXPECT_CODE(MUSTER_NOT_FOUND, muster_join_environment(NULL, NULL, 0, LIMIT_MS, &group, &error));
  EXPECT_TEXT("start the program with srun");
  setenv("SLURM_JOB_ID", "7", 1);
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT,
              muster_join_environment(NULL, NULL, 0, LIMIT_MS, &group, &error));
  EXPECT_TEXT("in none of its steps");
  unsetenv("SLURM_JOB_ID");
  setenv("MUSTER_GROUP_ID", "nonsense", 1);
  EXPECT_CODE(MUSTER_INVALID_ARGUMENT,
              muster_join_environment(NULL, NULL, 0, LIMIT_MS, &group, &error));
  EXPECT_TEXT("MUSTER_GROUP_ID");
  unsetenv("MUSTER_GROUP_ID");
}

static void codes_and_version_have_names(void) {
  CHECK(strcmp(muster_code_name(MUSTER_OK), "ok") == 0);
  CHECK(strcmp(muster_code_name(MUSTER_TIMEOUT), "timeout") == 0);
  CHECK(strcmp(muster_code_name(MUSTER_UNSUPPORTED), "unsupported") == 0);
  CHECK(strcmp(muster_code_name(-1), "unknown") == 0);
  CHECK(strcmp(muster_code_name(MUSTER_UNSUPPORTED + 1), "unknown") == 0);
  CHECK(muster_version() >= 1);
}

/* ------------------------------------------------------------------------------------------------
 */

typedef struct test_case {
  const char* name;
  void (*run)(void);
} test_case;

#define CASE(function) \
  { #function, function }
static const test_case cases[] = {
    CASE(codes_and_version_have_names),
    CASE(three_members_do_everything),
    CASE(a_name_tells_two_meetings_apart),
    CASE(a_join_without_the_others_ends_and_names_them),
    CASE(waits_end_at_their_timeout),
    CASE(broadcast_of_two_sizes_is_refused),
    CASE(options_that_cannot_work_are_refused),
    CASE(a_newer_programs_options_are_taken_while_they_ask_for_nothing_new),
    CASE(misuse_gives_a_code),
    CASE(free_alone_leaves_the_group),
    CASE(tasks_of_a_slurm_step_get_their_procid_as_rank),
    CASE(an_environment_without_a_group_says_so),
};

int main(int argc, char** argv) {
  static const char* const variables[] = {"SLURM_JOB_ID", "SLURM_JOBID", "SLURM_STEP_ID",
                                          "SLURM_PROCID", "MUSTER_GROUP_ID"};
  size_t count = 0;
  for (size_t i = 0; i < sizeof variables / sizeof *variables; ++i) unsetenv(variables[i]);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    if (argc > 1 && strcmp(argv[1], cases[i].name) != 0) continue;
    printf("%s\n", cases[i].name);
    fflush(stdout);
    cases[i].run();
    ++count;
  }
  printf("%u cases passed\n", (unsigned)count);
  return count > 0 ? 0 : 1;
}
