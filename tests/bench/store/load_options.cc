#include "tests/bench/store/load_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

namespace muster::bench {

namespace {

constexpr std::uint32_t kMaxClients = 1'000'000;
constexpr std::size_t kMaxValueBytes = 60'000;  // a reply is received into one buffer

void declare(CLI::App& app, LoadOptions& options, std::int64_t& measured_ms,
             std::int64_t& deadline_ms, bool& echo) {
  const std::map<std::string, Era> eras{{"1.13", Era::k1_13}, {"2.2", Era::k2_2}};
  app.add_option("--host", options.host, "numeric address of the server");
  app.add_option("--port", options.port, "its port");
  app.add_option("--clients", options.clients)->check(CLI::Range(1U, kMaxClients));
  app.add_option("--threads", options.threads)->check(CLI::Range(1U, 64U));
  app.add_option("--era", options.era, "1.13 (PyTorch 1.11 to 2.0) or 2.2 (and later)")
      ->transform(CLI::Transformer(eras));
  app.add_option("--value", options.value_bytes, "bytes of a value")
      ->check(CLI::Range(std::size_t{8}, kMaxValueBytes));
  app.add_option("--measure-ms", measured_ms, "how long set+wait+get is measured")
      ->check(CLI::PositiveNumber);
  app.add_option("--deadline-ms", deadline_ms, "of connecting, and of the barrier")
      ->check(CLI::PositiveNumber);
  app.add_option("--connecting", options.connecting, "connections on their way, per thread")
      ->check(CLI::PositiveNumber);
  app.add_option("--per-source", options.per_source, "clients per source address 127.0.0.x")
      ->check(CLI::PositiveNumber);
  app.add_option("--server-pid", options.server_pid, "process whose CPU time is taken too");
  app.add_flag("--echo", echo, "the server is echo_server: values are not verified");
  app.add_flag("--print-script", options.print_script, "print echo_server's --script and end");
}

}  // namespace

Result<LoadOptions> parse_load_options(int argc, const char* const* argv) {
  LoadOptions options;
  std::int64_t measured_ms = options.measured.count();
  std::int64_t deadline_ms = options.deadline.count();
  bool echo = false;
  CLI::App app("Loads a server of PyTorch's store protocol; prints one line of JSON");
  declare(app, options, measured_ms, deadline_ms, echo);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help("store_load").c_str(), stdout);
    options.help = true;
  } catch (const CLI::Error& error) {
    return failure(ErrorCode::kInvalidArgument, error.what());
  }
  options.measured = std::chrono::milliseconds(measured_ms);
  options.deadline = std::chrono::milliseconds(deadline_ms);
  options.verify = !echo;
  if (options.port == 0 && !options.print_script && !options.help)
    return failure(ErrorCode::kInvalidArgument, "--port is missing");
  return options;
}

}  // namespace muster::bench
