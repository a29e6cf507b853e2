#include "rendezvous/base/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace muster {

void Fd::reset(int fd) {
  if (fd_ >= 0)
    ::close(fd_);  // EINTR closes too on Linux; a retry could hit a stranger's descriptor
  fd_ = fd;
}

void open_standard_descriptors() {
  int fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) ::close(fd);
}

}  // namespace muster
