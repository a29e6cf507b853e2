// The members of a group as a short text: an environment variable must stay small. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

// Members per node in node order, run-lengths: "8(x512)", "8(x3),4". Local tasks count from 0 on
// each node. Host names are not kept: a host is called "node3" by its index afterwards.
std::string shape_of(const std::vector<ExpectedMember>& expected);
Result<std::vector<ExpectedMember>> members_of_shape(std::string_view shape);

}  // namespace muster::rendezvous
