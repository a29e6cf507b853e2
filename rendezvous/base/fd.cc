#include "rendezvous/base/fd.h"

#include <unistd.h>

namespace muster {

void Fd::reset(int fd) {
  if (fd_ >= 0)
    ::close(fd_);  // EINTR closes too on Linux; a retry could hit a stranger's descriptor
  fd_ = fd;
}

}  // namespace muster
