// WorkerDoor: the store that this agent serves to the workers of one attempt, and who may use it.
// A shell: gives the pure Admission its eyes (SocketOwners) and its hands (StoreServer).
//
// Lives on the agent's loop; nothing blocks; callbacks come from the loop. A new attempt gets a new
// one; destroying it closes the port and every connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/store/admission.h"
#include "rendezvous/base/asio.h"
#include "rendezvous/base/result.h"
#include "rendezvous/tcpstore/socket_owner.h"
#include "rendezvous/types.h"

namespace muster::launcher {

struct WorkerDoorOptions {
  rendezvous::Incarnation incarnation;  // of the job: candidate ports depend on it
  Attempt attempt{};
  std::uint16_t port = 0;    // the user's; 0: the first candidate that is free, as is the next one
  std::string bind_address;  // "" for all addresses
  AdmissionOptions admission;
};

// One connection of this machine, as Finding and uid. The errors of the look-up are kNotTold.
Ownership look_up_owner(tcpstore::SocketOwners& owners, const StoreConnection& connection);

class WorkerDoor {
 public:
  struct Callbacks {
    // Which uids own these? Answered by tell().
    std::function<void(std::vector<StoreConnection>)> ask;
    std::function<void(std::string_view)> print;  // a line, without "muster: "
    std::function<void(const Error&)> failed;     // nobody can come any more
  };

  // Errors say what to write instead.
  static Result<std::unique_ptr<WorkerDoor>> open(asio::io_context& loop, WorkerDoorOptions options,
                                                  Callbacks callbacks);
  ~WorkerDoor();
  WorkerDoor(const WorkerDoor&) = delete;
  WorkerDoor& operator=(const WorkerDoor&) = delete;

  std::uint16_t port() const;
  Attempt attempt() const;
  void tell(std::vector<Ownership> owners);

 private:
  class Body;
  explicit WorkerDoor(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace muster::launcher
