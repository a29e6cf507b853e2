// Documents of `muster check` as the tests need them, built by hand in the form that
// launcher/coordinator/health_report.cc prints.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace muster::report {

// Fit: `nodes` nodes, all-reduce over all, inside and between them with what is expected.
nlohmann::json healthy_document(std::size_t nodes);

// Unfit: the last node reaches 41 %; pairs, rounds, evidence and commands are there.
nlohmann::json slow_node_document(std::size_t nodes);

// Not measured: node2 and node3 hung together, node1 and node4 gave wrong data.
nlohmann::json hung_document();

// With all pairs of `nodes` nodes, the bandwidth falling by the place of the worse one.
nlohmann::json all_pairs_document(std::size_t nodes);

std::string host_of(std::size_t place);  // "node1" of 0

// print_html_report of a document that must be a good one.
std::string page_of(const nlohmann::json& document);

std::size_t count_of(const std::string& page, const std::string& text);

// The texts between two words of the page, the first time that both occur; "" otherwise.
std::string between(const std::string& page, const std::string& begin, const std::string& end);

}  // namespace muster::report
