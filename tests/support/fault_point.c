// Preloaded into muster by tests: at a named call of a named process something happens.
//
//   MUSTER_FAULT       FUNCTION:N:WHAT, the N-th call of bind, listen, accept4 (that accepts),
//                      sendmsg or recv (that brings bytes); WHAT is kill-before, kill-after or hold
//   MUSTER_FAULT_NODE  only where SLURM_NODEID says this
//   MUSTER_FAULT_FILE  is made at that moment; with hold, the call waits until FILE.go is there
//
// Only the process that was started as `muster` counts, not its children. And to any process of
// ours, whatever was started or forked:
//
//   MUSTER_FREEZE       NAME, of a program or what a helper calls itself: it stops (SIGSTOP) as
//                       soon as it is that
//   MUSTER_FREEZE_NODE  only where SLURMD_NODENAME says this
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char function[16];
static char what[16];
static int countdown;
static pid_t self;

static void freeze_if(const char* name) {
  const char* wanted = getenv("MUSTER_FREEZE");
  const char* node = getenv("MUSTER_FREEZE_NODE");
  const char* here = getenv("SLURMD_NODENAME");
  if (wanted == NULL || node == NULL || here == NULL || strcmp(node, here) != 0) return;
  if (strcmp(wanted, name) == 0) raise(SIGSTOP);
}

__attribute__((constructor)) static void begin(void) {
  freeze_if(program_invocation_short_name);
  const char* fault = getenv("MUSTER_FAULT");
  const char* node = getenv("MUSTER_FAULT_NODE");
  const char* here = getenv("SLURM_NODEID");
  if (fault == NULL || node == NULL || here == NULL || strcmp(node, here) != 0) return;
  if (strcmp(program_invocation_short_name, "muster") != 0) return;
  if (sscanf(fault, "%15[^:]:%d:%15s", function, &countdown, what) == 3) self = getpid();
}

static void make_file(void) {
  const char* path = getenv("MUSTER_FAULT_FILE");
  if (path != NULL) close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void hold(void) {
  char go[4096];
  const struct timespec pause = {0, 10000000};
  snprintf(go, sizeof go, "%s.go", getenv("MUSTER_FAULT_FILE"));
  while (access(go, F_OK) != 0) nanosleep(&pause, NULL);
}

static int is_now(const char* name) {
  return self != 0 && getpid() == self && countdown > 0 && strcmp(name, function) == 0 &&
         --countdown == 0;
}

static void strike(const char* moment) {
  make_file();
  if (strcmp(what, moment) == 0) kill(getpid(), SIGKILL);
  if (strcmp(what, "hold") == 0) hold();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int prctl(int option, ...) {
  va_list rest;
  va_start(rest, option);
  const unsigned long first = va_arg(rest, unsigned long);
  va_end(rest);
  const int result = REAL(prctl)(option, first, 0UL, 0UL, 0UL);
  if (option == PR_SET_NAME) freeze_if((const char*)first);
  return result;
}

int bind(int fd, const struct sockaddr* address, socklen_t size) {
  const int now = is_now("bind");
  if (now && strcmp(what, "kill-before") == 0) strike("kill-before");
  const int result = REAL(bind)(fd, address, size);
  if (now) strike("kill-after");
  return result;
}

int listen(int fd, int backlog) {
  const int now = is_now("listen");
  if (now && strcmp(what, "kill-before") == 0) strike("kill-before");
  const int result = REAL(listen)(fd, backlog);
  if (now) strike("kill-after");
  return result;
}

int accept4(int fd, struct sockaddr* address, socklen_t* size, int flags) {
  const int result = REAL(accept4)(fd, address, size, flags);
  if (result >= 0 && is_now("accept4")) strike("kill-after");
  return result;
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  const int now = is_now("sendmsg");
  if (now && strcmp(what, "kill-before") == 0) strike("kill-before");
  const ssize_t result = REAL(sendmsg)(fd, message, flags);
  if (now) strike("kill-after");
  return result;
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  const ssize_t result = REAL(recv)(fd, bytes, size, flags);
  if (result > 0 && is_now("recv")) strike("kill-after");
  return result;
}
