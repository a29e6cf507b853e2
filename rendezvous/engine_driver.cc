#include "rendezvous/engine_driver.h"

#include "rendezvous/hmac.h"

namespace muster::rendezvous {

Digests real_digests() {
  return {&hmac_sha256, &sha256, &equal_in_constant_time};
}

}  // namespace muster::rendezvous
