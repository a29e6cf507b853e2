/* What the cases of the C tests share: processes that are members, and checks that name the line.
 */
#ifndef MUSTER_TESTS_MEMBERS_H
#define MUSTER_TESTS_MEMBERS_H

#include <muster_rendezvous.h>
#include <stdint.h>

/* No wait of a test takes longer. */
#define LIMIT_MS 20000

/* Ends the process with code 1, after a line that says where and what. */
void fail_at(const char* file, int line, const char* what, const char* detail);

#define CHECK(condition)                                           \
  do {                                                             \
    if (!(condition)) fail_at(__FILE__, __LINE__, #condition, ""); \
  } while (0)

/* A call that must give `wanted`; `error` is the muster_error that it was given. */
#define EXPECT_CODE(wanted, call)                                                             \
  do {                                                                                        \
    const int code_of_call = (call);                                                          \
    if (code_of_call != (wanted))                                                             \
      fail_at(__FILE__, __LINE__, #call " gives not " #wanted, error.text);                   \
    if (code_of_call != error.code) fail_at(__FILE__, __LINE__, #call, "error.code differs"); \
  } while (0)

/* The text of `error` has `part` in it. */
#define EXPECT_TEXT(part)                                                    \
  do {                                                                       \
    if (strstr(error.text, part) == NULL)                                    \
      fail_at(__FILE__, __LINE__, "the text has no '" part "'", error.text); \
  } while (0)

/* A meeting on this machine, with a job number of its own. */
typedef struct meeting {
  uint64_t job;
  const uint32_t* members_per_node;
  uint32_t nodes;
} meeting;

meeting new_meeting(const uint32_t* members_per_node, uint32_t nodes);
/* Options of the member with that rank; only `facts` are left empty. */
muster_join_options options_of(const meeting* where, uint32_t rank);
muster_group* join_as(const meeting* where, uint32_t rank);
void leave_and_free(muster_group* group);

/* Runs `member` in `count` processes with ranks 0 to count - 1; each must end with exit code 0. */
typedef void (*member_function)(const meeting* where, uint32_t rank);
void run_members(member_function member, const meeting* where, uint32_t count);

#endif
