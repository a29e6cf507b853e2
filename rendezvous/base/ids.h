// Ids are distinct types: mixing a rank with a node index does not compile.
//
// Use value_of(id) for the number and `Rank{3}` to make one.
#pragma once

#include <cstdint>
#include <type_traits>

namespace muster {

enum class NodeIndex : std::uint32_t {};  // place of a host in the step's node list, from 0
enum class LocalTask : std::uint32_t {};  // place of an agent among the agents of its node, from 0
enum class MemberIndex : std::uint32_t {
};                                        // place of a member in a roster, by node, then local task
enum class Rank : std::uint32_t {};       // global number of a worker
enum class LocalRank : std::uint32_t {};  // number of a worker on its node
enum class Generation : std::uint64_t {};  // one membership; grows, never repeats in an incarnation
enum class Attempt : std::uint32_t {};     // one life of all workers, from 0
enum class ConnectionId : std::uint64_t {};  // never reused in a process's life

template <class Id>
requires std::is_enum_v<Id>
constexpr auto value_of(Id id) {
  return static_cast<std::underlying_type_t<Id>>(id);
}

}  // namespace muster
