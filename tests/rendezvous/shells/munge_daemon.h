// MungeDaemon: a real munged of a test's own, with its own key and socket.
#pragma once

#include <memory>
#include <string>

namespace muster::rendezvous {

class MungeDaemon {
 public:
  // Null, and why in `reason`, when this machine cannot run one.
  static std::unique_ptr<MungeDaemon> start(std::string& reason);
  ~MungeDaemon();  // stops it and removes its files

  std::string socket() const { return directory_ + "/munge.sock"; }

 private:
  explicit MungeDaemon(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
};

}  // namespace muster::rendezvous
