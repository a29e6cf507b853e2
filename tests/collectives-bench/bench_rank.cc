// One rank of a bench gang in tests: muster-bench without its way of joining.
//
// bench_rank SOCKET RANK SIZE [muster-bench's arguments]
#include <unistd.h>

#include <cstdio>
#include <string>

#include "collectives-bench/program.h"
#include "tests/collectives-bench/socket_exchange.h"

int main(int argc, char** argv) {
  using namespace muster;
  using namespace muster::bench;
  const auto command = parse_options({argv + 4, argv + argc});
  if (!command) {
    std::fprintf(stderr, "%s\n", command.error().message().c_str());
    return static_cast<int>(ExitCode::kUsage);
  }
  RunPlan plan;
  plan.options = command->options;
  plan.notes = command->notes;
  plan.seat.rank = static_cast<std::uint32_t>(std::stoul(argv[2]));
  plan.seat.size = static_cast<std::uint32_t>(std::stoul(argv[3]));
  plan.seat.node = plan.seat.rank;
  plan.seat.nodes = plan.seat.size;
  plan.seat.host = "node" + std::string(argv[2]);
  plan.environment = Environment::from_block(environ);
  plan.program = argv[0];
  testing::SocketExchange exchange(Fd(std::stoi(argv[1])), plan.seat.rank, plan.seat.size);
  end_program(run_program(plan, exchange, Clock::now() + plan.options.deadline));
}
