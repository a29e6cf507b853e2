// The store's part of the agent: serve it (on rank 0's agent), ask whose its connections are, and
// say whose the connections of this node are (on every lead agent).
#include <unistd.h>

#include <utility>

#include "launcher/agent/interface_addresses.h"
#include "launcher/agent/node_agent.h"

namespace muster::launcher {

void NodeAgent::open_store(const OpenStore& order) {
  door_.reset();  // the port and the connections of the attempt before
  WorkerDoorOptions options;
  options.incarnation = options_.gangs.incarnation;
  options.attempt = order.attempt;
  options.port = order.port;
  if (options_.gangs.options.standalone) options.bind_address = "127.0.0.1";
  options.admission.mode = order.admission;
  options.admission.uid = ::geteuid();
  for (std::string& address : interface_addresses()) {
    options.admission.own_addresses.insert(std::move(address));
  }
  WorkerDoor::Callbacks callbacks;
  callbacks.ask = [this, attempt = order.attempt](std::vector<StoreConnection> connections) {
    tell(AskOwners{attempt, std::move(connections)});
  };
  callbacks.print = [this](std::string_view line) { print("muster: " + std::string(line)); };
  callbacks.failed = [this, attempt = order.attempt](const Error& error) {
    tell(StoreFailed{attempt, "the workers' store is broken: " + error.message()});
  };
  auto door = WorkerDoor::open(loop_, std::move(options), std::move(callbacks));
  if (!door) return tell(StoreFailed{order.attempt, door.error().message()});
  door_ = std::move(*door);
  tell(StoreOpened{order.attempt, door_->port()});
}

void NodeAgent::close_store(const CloseStore& order) {
  if (door_ && door_->attempt() == order.attempt) door_.reset();
}

void NodeAgent::find_owners(const FindOwners& question) {
  if (!socket_owners_) socket_owners_ = tcpstore::SocketOwners::open();
  OwnersFound answer{question.attempt, {}};
  for (const StoreConnection& connection : question.connections) {
    answer.owners.push_back(look_up_owner(*socket_owners_, connection));
  }
  tell(answer);
}

void NodeAgent::hear_owners(const OwnersTold& told) {
  if (door_ && door_->attempt() == told.attempt) door_->tell(told.owners);
}

}  // namespace muster::launcher
