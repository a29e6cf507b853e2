#include "launcher/agent/result_files.h"

#include <fstream>
#include <functional>

#include "collectives-bench/profile/baseline.h"
#include "launcher/health/child_question.h"
#include "launcher/report/html_report.h"

namespace muster::launcher {

namespace {

constexpr Duration kWriteLimit{10'000};

// `write` runs in the child and gives "" or what went wrong; `source` is the option as the user
// wrote it.
Status write_in_child(const std::string& source, const std::function<std::string()>& write) {
  const Result<std::string> problem =
      health::ChildQuestion::ask_and_wait("muster-report", write, kWriteLimit);
  if (!problem) return failure(problem.error().within(source));
  if (!problem->empty()) return failure(ErrorCode::kSystem, source + ": " + *problem);
  return {};
}

std::string write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << '\n';
  file.close();
  return file ? "" : "cannot be written; expected the name of a file in a folder that is there";
}

Status write_file(const std::string& source, const std::string& path, const std::string& text) {
  return write_in_child(source, [&path, &text]() { return write_text(path, text); });
}

Status write_page(const std::string& path, const std::string& document) {
  const std::string source = "--html=" + path;
  const Result<std::string> page = report::print_html_report(document);
  if (!page) return failure(page.error().within(source));
  return write_file(source, path, *page);
}

}  // namespace

Status write_reports(const options::Options& options, const std::string& document) {
  Status json;
  Status html;
  if (!options.json.empty()) json = write_file("--json=" + options.json, options.json, document);
  if (!options.html.empty()) html = write_page(options.html, document);
  return json ? html : json;
}

Status write_baseline(const options::Options& options, const bench::Profile& baseline) {
  const std::string& path = options.record_baseline;
  return write_in_child("--record-baseline=" + path, [&path, &baseline]() {
    const Status written = bench::write_baseline_file(path, baseline);
    return written ? std::string() : written.error().message();
  });
}

}  // namespace muster::launcher
