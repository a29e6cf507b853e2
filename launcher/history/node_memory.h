// Node memory: a file in a shared folder, to which every job appends the nodes it found unfit, a
// line each (verdict_record.h). Written and read by jobs of all versions at the same time; never
// shortened by muster.
//
// A shared file system may hang its caller: `recall` and `remember` do the work in a child process
// with a deadline, and block for no longer. For single-threaded processes outside of a loop.
//
// A writer holds flock(2) and makes one write(2) of a whole line to a file opened with O_APPEND. On
// a local file system each of the two is enough. On NFS O_APPEND alone is not (the client computes
// the end of the file itself), flock is: Linux turns it into a lock of the server and looks at the
// file anew once it has it; with the mount option local_lock=flock or nolock it holds on one node
// only. On Lustre flock needs the mount option flock, O_APPEND is enough without. Where there are
// no locks the line is written without one; in the worst case two lines are torn, which readers
// skip.
#pragma once

#include <string>
#include <vector>

#include "launcher/history/verdict_record.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::history {

inline constexpr std::size_t kMaxTail = 1U << 19;  // bytes that are read: the last ones of the file
inline constexpr Duration kLockLimit{4'000};
inline constexpr Duration kReadLimit{3'000};
inline constexpr Duration kWriteLimit{6'000};  // the wait for the lock included

// What the file's last kMaxTail bytes hold; nothing when there is no such file. Errors: it cannot
// be read, is no regular file, could not be made in its folder, or did not answer within `limit`.
Result<Records> recall(const std::string& path, Duration limit = kReadLimit);

// Appends the records, in their order. The file is made when it is missing, with mode 0664 less the
// umask; its folder is not. On an error some of the records may have been written.
Status remember(const std::string& path, const std::vector<Record>& records,
                Duration limit = kWriteLimit);

// The same in this process: may block for as long as the file system does. For a child.
Result<std::string> read_tail(const std::string& path);
Status append_lines(const std::string& path, const std::vector<std::string>& lines,
                    Duration lock_limit = kLockLimit);

}  // namespace muster::history
