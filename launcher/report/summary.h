// The top of the page: the verdict, the figures that matter, who is accused on what evidence, the
// operator's commands, which nodes the job gets, and the rounds. Pure.
#pragma once

#include <string>

#include "launcher/report/document.h"

namespace muster::report {

// "Fit", "Unfit" or "Could not measure", whatever else ended the check. Never "Fit" by default, and
// "Fit, with a warning" where somebody is accused all the same.
std::string verdict_word(const Document& document);

std::string print_verdict(const Document& document);
std::string print_accused(const Document& document);   // "" where nobody is
std::string print_commands(const Document& document);  // "" where there are none
std::string print_choice(const Document& document);    // "" where nothing was chosen
std::string print_rounds(const Document& document);    // "" where the document has none
std::string print_notes(const Document& document);     // "" where there are none

}  // namespace muster::report
