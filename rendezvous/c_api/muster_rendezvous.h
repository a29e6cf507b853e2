// muster_rendezvous.h: the rendezvous of separately started processes, for programs in C and for
// whatever can call C. C99; stable, see rendezvous/c_api/README.md.
//
// A group is formed once by muster_join or muster_join_environment: all members come, or all get an
// error that names who did not. Then they share a key-value store, barriers, gathers and
// broadcasts, until each leaves.
//
//   Blocking    Every call that takes `timeout_ms` blocks, at most that long (and 2 s more should
//               the library itself be at fault). From 0 to INT_MAX; there is no "for ever".
//               muster_free takes about a second at worst, the others do not block.
//   Errors      Calls that can fail return MUSTER_OK or another muster_code. `error` may be NULL;
//               else it is always written, with one line for people. It needs no freeing.
//   Memory      What goes in is copied before the call returns. muster_bytes that come out are the
//               caller's and end with muster_bytes_free. All else that comes out belongs to the
//               group and lives until muster_free.
//   Threads     None is made. One thread at a time uses a group; a call that meets another one in
//               the same group is refused. Different groups are independent.
//   Fork        A group belongs to the process that joined. In a child made by fork its calls are
//               refused and muster_free does nothing. Such a child keeps copies of the descriptors:
//               while it lives, its parent's death is noticed later.
//   Signals     No handler and no mask is changed, and no SIGPIPE is raised. Descriptors are
//               CLOEXEC. The member that serves the group (node 0, local rank 0) has a child
//               process, muster-rendezvous; do not be surprised by its SIGCHLD, do not kill it.
//   Collectives Barrier, all-gather and broadcast are called by all members in the same order. When
//               one fails with MUSTER_TIMEOUT, members may no longer agree which is next: leave.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MUSTER_API __attribute__((visibility("default")))
#else
#define MUSTER_API
#endif

// Numbers never change their meaning; newer versions may add some.
enum muster_code {
  MUSTER_OK = 0,
  MUSTER_INVALID_ARGUMENT = 1,   // the caller or the user gave something that can never work
  MUSTER_NOT_FOUND = 2,          // the thing named does not exist
  MUSTER_UNAVAILABLE = 3,        // a peer, a service or a program is not there
  MUSTER_TIMEOUT = 4,            // timeout_ms passed
  MUSTER_PERMISSION_DENIED = 5,  // proof of identity failed, or the system refused
  MUSTER_PROTOCOL = 6,           // a peer sent what it must not send
  MUSTER_LIMIT = 7,              // too large, too long or too many
  MUSTER_CANCELLED = 8,          // stopped by its owner
  MUSTER_SYSTEM = 9,             // a system call failed, memory included
  MUSTER_UNSUPPORTED = 10        // this library or this machine cannot do it
};

#define MUSTER_ERROR_TEXT 2048  // bytes of an error's text, the final zero included
#define MUSTER_NO_RANK UINT32_MAX
#define MUSTER_MAX_NAME 48        // bytes of a meeting's name
#define MUSTER_MAX_KEY 1024       // bytes of a key of the store
#define MUSTER_MAX_VALUE 1048576  // bytes of a value, of a member's part in a gather or broadcast
#define MUSTER_MAX_FACTS 65532    // bytes of a member's facts

typedef struct muster_error {
  int code;                      // a muster_code
  char text[MUSTER_ERROR_TEXT];  // zero-terminated; "" when the code is MUSTER_OK
} muster_error;

typedef struct muster_group muster_group;

typedef struct muster_bytes {
  void* data;  // one zero byte follows the last
  size_t size;
} muster_bytes;

// Fill with zeros, then set struct_size to sizeof(muster_join_options) and what is needed. Newer
// versions append members; zeros mean what this version does.
typedef struct muster_join_options {
  size_t struct_size;
  // Which meeting it is. The same for all its members, and for no other meeting of the network.
  uint64_t job;
  uint32_t step;
  uint32_t restart_count;
  const char* name;  // NULL or "": none; tells meetings of one program apart
  // Who comes, and who this is. Ranks go by node, then by local rank.
  const uint32_t* members_per_node;
  uint32_t nodes;       // numbers in members_per_node
  uint32_t node;        // this process's
  uint32_t local_rank;  // this process's place on its node, from 0
  // Where node 0 is: names or numeric addresses.
  uint32_t host_count;
  const char* const* hosts;
  // Tried in this order by all; NULL: 16 ports that follow from job, step, restart_count and name.
  const uint16_t* ports;
  size_t port_count;
  // The secret that all members share, at least 16 bytes. NULL: the file of MUSTER_KEY_FILE, else
  // MUSTER_TOKEN, else munge.
  const void* key;
  size_t key_size;
  // What the others read of this process in muster_peer; may be NULL.
  const void* facts;
  size_t facts_size;
} muster_join_options;

// Set struct_size before muster_peer_at fills the rest.
typedef struct muster_peer {
  size_t struct_size;
  uint32_t rank;
  uint32_t node;
  uint32_t local_rank;
  uint32_t pid;
  const char* host;
  const char* address;  // numeric; the others reach this member's host by it
  const void* facts;
  size_t facts_size;
} muster_peer;

// Of the library that runs: 1 for 0.1, 2 for 0.2, 256 for 1.0.
MUSTER_API uint32_t muster_version(void);
// "timeout"; "unknown" for a number of a newer library. Never NULL.
MUSTER_API const char* muster_code_name(int code);

// Blocks until all members came. On success *group is set, else it is NULL.
MUSTER_API int muster_join(const muster_join_options* options, int timeout_ms, muster_group** group,
                           muster_error* error);

// The same with what the environment says: a group that a launcher prepared (MUSTER_GROUP_*
// variables), else the tasks of this Slurm step: each task started by srun is one member, its rank
// is its SLURM_PROCID. `name` tells several meetings of one step apart, NULL or "" for the only
// one. Its timeout is the caller's: MUSTER_GROUP_DEADLINE_MS is not used. MUSTER_NOT_FOUND: the
// environment knows no group.
MUSTER_API int muster_join_environment(const char* name, const void* facts, size_t facts_size,
                                       int timeout_ms, muster_group** group, muster_error* error);

// MUSTER_NO_RANK and 0 when group is NULL.
MUSTER_API uint32_t muster_rank(const muster_group* group);
MUSTER_API uint32_t muster_size(const muster_group* group);

MUSTER_API int muster_peer_at(const muster_group* group, uint32_t rank, muster_peer* peer,
                              muster_error* error);

// The store. Keys are zero-terminated; get and wait wait until the keys are there. add makes an
// absent key 0 first; `sum` may be NULL. Values of add are decimal text for get.
MUSTER_API int muster_set(muster_group* group, const char* key, const void* value, size_t size,
                          int timeout_ms, muster_error* error);
MUSTER_API int muster_get(muster_group* group, const char* key, muster_bytes* value, int timeout_ms,
                          muster_error* error);
MUSTER_API int muster_wait(muster_group* group, const char* const* keys, size_t count,
                           int timeout_ms, muster_error* error);
MUSTER_API int muster_add(muster_group* group, const char* key, int64_t delta, int64_t* sum,
                          int timeout_ms, muster_error* error);

MUSTER_API int muster_barrier(muster_group* group, int timeout_ms, muster_error* error);

// `all` is an array of muster_size(group) elements, filled in the order of ranks; sizes may differ
// between members. On failure nothing in it needs freeing.
MUSTER_API int muster_all_gather(muster_group* group, const void* bytes, size_t size,
                                 muster_bytes* all, int timeout_ms, muster_error* error);

// `size` bytes of the member `root` arrive in `bytes` of all. All members pass the same size; one
// that passes another gets MUSTER_INVALID_ARGUMENT, and its `bytes` stay as they were.
MUSTER_API int muster_broadcast(muster_group* group, uint32_t root, void* bytes, size_t size,
                                int timeout_ms, muster_error* error);

// Says goodbye; no call but muster_free is possible afterwards, whatever it returned. The member
// that serves the group returns when all have left; MUSTER_TIMEOUT then means that others are
// still there.
MUSTER_API int muster_leave(muster_group* group, int timeout_ms, muster_error* error);

// Frees the group; leaves in haste if muster_leave was not called. NULL is fine.
MUSTER_API void muster_free(muster_group* group);

// Frees and empties one muster_bytes. NULL and empty ones are fine.
MUSTER_API void muster_bytes_free(muster_bytes* bytes);

#ifdef __cplusplus
}
#endif
