// Scanner: reads a short text of Slurm's from left to right and says where it went wrong. Pure.
//
// The base of the parsers of hostlists, task counts and ports; of no use outside of this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::slurm {

class Scanner {
 public:
  // `what` names the text in errors ("hostlist"). Both views must outlive the scanner.
  Scanner(std::string_view what, std::string_view text) : what_(what), text_(text) {}

  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }  // '\0' at the end, too
  bool at_digit() const { return peek() >= '0' && peek() <= '9'; }
  std::size_t position() const { return position_; }

  void skip() { ++position_; }
  bool accept(char wanted);
  // The digits that follow, leading zeros included; may be empty.
  std::string_view take_digits();

  // A decimal number of at most `limit`; `name` says in errors what it is.
  Result<std::uint64_t> number(std::string_view name, std::uint64_t limit);

  // Errors with the text, the position (counted from 1), what was expected and what was found.
  Error expected(std::string_view wanted) const { return expected_at(position_, wanted); }
  Error expected_at(std::size_t position, std::string_view wanted) const;
  // kLimit, with the position and the reason.
  Error beyond_limit(std::size_t position, std::string_view reason) const;

 private:
  std::string place(std::size_t position) const;

  std::string_view what_;
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace muster::slurm
