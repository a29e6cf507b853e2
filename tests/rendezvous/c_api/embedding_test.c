/* What the library does to the process that uses it: nothing. `embedding_test` runs all cases. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

enum { HIGHEST_FD = 256 };

static const uint32_t one[] = {1};
static const uint32_t two[] = {2};

static uint32_t count_entries(const char* path) {
  uint32_t count = 0;
  DIR* folder = opendir(path);
  CHECK(folder != NULL);
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count - 2; /* "." and ".." */
}

/* The muster-rendezvous that serves the group, our only child. */
static pid_t server_process(void) {
  int pid = 0;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE* file = fopen(path, "r");
  CHECK(file != NULL && fscanf(file, "%d", &pid) == 1);
  fclose(file);
  return (pid_t)pid;
}

static void use_it(const meeting* where, uint32_t rank) {
  muster_error error;
  muster_group* group = join_as(where, rank);
  EXPECT_CODE(MUSTER_OK, muster_set(group, "key", "value", 5, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_barrier(group, LIMIT_MS, &error));
  CHECK(count_entries("/proc/self/task") == 1);
  leave_and_free(group);
}

static void no_thread_is_made(void) {
  const meeting where = new_meeting(two, 1);
  run_members(use_it, &where, 2);
}

static void descriptors_are_cloexec_and_closed_at_the_end(void) {
  const meeting where = new_meeting(one, 1);
  const uint32_t before = count_entries("/proc/self/fd");
  int open_before[HIGHEST_FD];
  for (int fd = 0; fd < HIGHEST_FD; ++fd) open_before[fd] = fcntl(fd, F_GETFD) >= 0;
  muster_group* group = join_as(&where, 0);
  uint32_t added = 0;
  for (int fd = 0; fd < HIGHEST_FD; ++fd) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || open_before[fd]) continue;
    CHECK((flags & FD_CLOEXEC) != 0);
    ++added;
  }
  CHECK(added >= 3); /* the connection, the server's socket, the loop */
  leave_and_free(group);
  CHECK(count_entries("/proc/self/fd") == before);
}

static void on_signal(int number) {
  (void)number;
}

static void signals_stay_as_they_were(void) {
  const meeting where = new_meeting(one, 1);
  struct sigaction before[SIGRTMAX];
  struct sigaction after;
  sigset_t mask_before;
  sigset_t mask_after;
  memset(&after, 0, sizeof after);
  after.sa_handler = on_signal;
  CHECK(sigaction(SIGCHLD, &after, NULL) == 0);
  for (int number = 1; number < SIGRTMAX; ++number) sigaction(number, NULL, &before[number]);
  sigprocmask(SIG_SETMASK, NULL, &mask_before);
  muster_group* group = join_as(&where, 0);
  leave_and_free(group);
  for (int number = 1; number < SIGRTMAX; ++number) {
    if (sigaction(number, NULL, &after) != 0) continue; /* two belong to the C library */
    CHECK(after.sa_handler == before[number].sa_handler);
    CHECK(after.sa_flags == before[number].sa_flags);
  }
  sigprocmask(SIG_SETMASK, NULL, &mask_after);
  for (int number = 1; number < SIGRTMAX; ++number)
    CHECK(sigismember(&mask_before, number) == sigismember(&mask_after, number));
  signal(SIGCHLD, SIG_DFL);
}

/* With SIGPIPE at its default a write to the dead server's socket would kill this process. */
static void a_dead_server_gives_a_code_and_no_signal(void) {
  const meeting where = new_meeting(one, 1);
  muster_group* group = join_as(&where, 0);
  muster_error error;
  signal(SIGPIPE, SIG_DFL);
  CHECK(kill(server_process(), SIGKILL) == 0);
  EXPECT_CODE(MUSTER_UNAVAILABLE, muster_set(group, "key", "value", 5, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_UNAVAILABLE, muster_barrier(group, LIMIT_MS, &error));
  CHECK(muster_leave(group, LIMIT_MS, &error) != MUSTER_OK);
  muster_free(group);
}

/* Some programs reap all children themselves, or let the kernel do it. */
static void children_may_be_reaped_by_the_kernel(void) {
  const meeting where = new_meeting(one, 1);
  signal(SIGCHLD, SIG_IGN);
  muster_group* group = join_as(&where, 0);
  leave_and_free(group);
  signal(SIGCHLD, SIG_DFL);
}

static void a_forked_child_is_refused_and_disturbs_nobody(void) {
  const meeting where = new_meeting(one, 1);
  muster_group* group = join_as(&where, 0);
  muster_error error;
  int status = 0;
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_barrier(group, LIMIT_MS, &error));
    EXPECT_TEXT("a child made by fork has no part in it");
    EXPECT_CODE(MUSTER_INVALID_ARGUMENT, muster_leave(group, LIMIT_MS, &error));
    CHECK(muster_rank(group) == 0);
    muster_free(group);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  EXPECT_CODE(MUSTER_OK, muster_set(group, "key", "value", 5, LIMIT_MS, &error));
  EXPECT_CODE(MUSTER_OK, muster_barrier(group, LIMIT_MS, &error));
  leave_and_free(group);
}

static void* wait_for_a_key(void* group) {
  muster_error error;
  muster_bytes value;
  int code = MUSTER_OK;
  do { /* the other thread may be in a call just now */
    code = muster_get(group, "never", &value, 1000, &error);
  } while (code == MUSTER_INVALID_ARGUMENT);
  CHECK(code == MUSTER_TIMEOUT);
  return NULL;
}

static void a_second_thread_is_refused_while_one_is_in_a_call(void) {
  const meeting where = new_meeting(one, 1);
  muster_group* group = join_as(&where, 0);
  muster_error error;
  pthread_t thread;
  int code = MUSTER_OK;
  int refused = 0;
  CHECK(pthread_create(&thread, NULL, wait_for_a_key, group) == 0);
  do { /* until the thread is inside its call; it stays there for a second */
    code = muster_set(group, "other", "", 0, LIMIT_MS, &error);
    if (code == MUSTER_INVALID_ARGUMENT) {
      EXPECT_TEXT("another thread is in a call");
      refused = 1;
    }
  } while (!refused);
  CHECK(pthread_join(thread, NULL) == 0);
  EXPECT_CODE(MUSTER_OK, muster_set(group, "other", "", 0, LIMIT_MS, &error));
  leave_and_free(group);
}

static void the_missing_helper_program_is_named(void) {
  const meeting where = new_meeting(one, 1);
  const muster_join_options options = options_of(&where, 0);
  const char* const kept = getenv("MUSTER_LIBEXEC_DIR");
  char* const copy = kept == NULL ? NULL : strdup(kept);
  muster_group* group = NULL;
  muster_error error;
  setenv("MUSTER_LIBEXEC_DIR", "/nowhere", 1);
  EXPECT_CODE(MUSTER_NOT_FOUND, muster_join(&options, LIMIT_MS, &group, &error));
  EXPECT_TEXT("/nowhere/muster-rendezvous");
  unsetenv("MUSTER_LIBEXEC_DIR");
  if (copy != NULL) setenv("MUSTER_LIBEXEC_DIR", copy, 1);
  free(copy);
}

int main(void) {
  alarm(6 * LIMIT_MS / 1000);
  no_thread_is_made();
  descriptors_are_cloexec_and_closed_at_the_end();
  signals_stay_as_they_were();
  a_dead_server_gives_a_code_and_no_signal();
  children_may_be_reaped_by_the_kernel();
  a_forked_child_is_refused_and_disturbs_nobody();
  a_second_thread_is_refused_while_one_is_in_a_call();
  the_missing_helper_program_is_named();
  printf("all passed\n");
  return 0;
}
