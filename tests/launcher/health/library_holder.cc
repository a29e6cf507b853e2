// Opens the libraries named as arguments, says "ready" and waits until its stdin ends.
// With "--child" first, a child of it does so.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  int first = 1;
  if (argc > 1 && std::strcmp(argv[1], "--child") == 0) {
    const pid_t child = ::fork();
    if (child != 0) return ::waitpid(child, nullptr, 0) == child ? 0 : 1;
    ++first;
  }
  for (int i = first; i < argc; ++i) {
    if (::dlopen(argv[i], RTLD_NOW) == nullptr) {
      std::fprintf(stderr, "%s\n", ::dlerror());
      return 1;
    }
  }
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  return 0;
}
