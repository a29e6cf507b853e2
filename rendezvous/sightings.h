// Sightings: what this member has seen of the successors' doors; it tells a coordinator that is
// gone from one that is late. Pure. SUCCESSION.md has the table.
//
// A kernel that refuses at every port says that nobody listens there: of a process that has not
// started yet, and of one that is dead. Only a port where somebody was seen before tells that he is
// gone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rendezvous/handshake.h"

namespace muster::rendezvous {

class Sightings {
 public:
  explicit Sightings(std::size_t successors) : doors_(successors) {}

  // Somebody accepted a connection at this successor's place; it may be a stranger.
  void note_open(std::uint32_t place) { doors_.at(place).is_closed = false; }
  // He greeted as the coordinator: not gone, whatever was seen before.
  void note_greeting(std::uint32_t place, const Endpoint& where) {
    doors_.at(place) = {.seen_at = where};
  }
  // He ended the connection before he said anything; that may have been the coordinator, unless one
  // was seen at another port.
  void note_broken_off(std::uint32_t place, const Endpoint& where) {
    if (!doors_.at(place).seen_at) doors_.at(place).seen_at = where;
  }
  // A coordinator that had taken us in is lost, or one that had greeted and whose kernel is silent.
  void note_gone(std::uint32_t place) { doors_.at(place).is_gone = true; }
  // `closed`: those whose kernel refuses at every port now; all others have somebody there, or do
  // not answer. `shut`: the ports that answered once and refuse now, of whatever place.
  void note_round(const std::vector<std::uint32_t>& closed, const std::vector<Endpoint>& shut);
  // We follow this one: those before may have closed their doors only to make room for it.
  void note_followed(std::uint32_t place);

  bool is_gone(std::uint32_t place) const { return doors_.at(place).is_gone; }
  // In their order.
  std::vector<std::uint32_t> gone() const;
  std::optional<std::uint32_t> newest_gone_before(std::uint32_t place) const;
  std::uint32_t closed_before(std::uint32_t place) const;

 private:
  struct Door {
    std::optional<Endpoint> seen_at{};
    bool is_closed = false;
    bool is_gone = false;
  };
  std::vector<Door> doors_;
};

}  // namespace muster::rendezvous
