// The life of the writer child: reads frames until the pipe's end, creates directories, appends to
// files. Blocks as it likes; that is what it is for.
#pragma once

namespace muster::output {

// Reads frames from `frames_fd`; tells failures as lines on `errors_fd`. The exit code: 0 unless
// the frames were broken.
int run_writer_child(int frames_fd, int errors_fd);

}  // namespace muster::output
