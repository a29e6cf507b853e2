#include "rendezvous/types.h"

namespace muster::rendezvous {

std::string to_string(const Incarnation& incarnation) {
  std::string text = std::to_string(incarnation.job) + "." + std::to_string(incarnation.step);
  if (incarnation.restart_count != 0)
    text += " restart " + std::to_string(incarnation.restart_count);
  if (!incarnation.scope.empty()) text += " " + incarnation.scope;
  return text;
}

}  // namespace muster::rendezvous
