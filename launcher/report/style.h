// The page's one style sheet: light and dark by the reader's setting, narrow screens, paper. Pure.
#pragma once

#include <string_view>

namespace muster::report {

std::string_view style_sheet();

}  // namespace muster::report
