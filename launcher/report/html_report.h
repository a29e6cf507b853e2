// The page of `muster check --html`: one self-contained HTML file, readable on a phone and on
// paper. Static HTML, inline SVG, one inline style sheet; no script, nothing from elsewhere. Pure.
//
// Host names, reasons and all other texts of the document are hostile input: each is escaped, and
// the page's own policy forbids scripts and foreign resources besides.
#pragma once

#include <string>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::report {

// From the document that `muster check --json` writes (launcher/coordinator/health_report.h). What
// is absent there is left out here, or said to be absent where its absence matters. Errors: the
// text is no JSON object, or a member has another type than the document's.
Result<std::string> print_html_report(std::string_view json_document);

}  // namespace muster::report
