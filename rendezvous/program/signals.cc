#include "rendezvous/program/signals.h"

#include <csignal>
#include <initializer_list>

namespace muster::rendezvous {

void ignore_signals_to_the_step() {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
                           SIGTSTP, SIGTTIN, SIGTTOU, SIGXCPU})
    std::signal(signal, SIG_IGN);
}

}  // namespace muster::rendezvous
