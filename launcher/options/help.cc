#include "launcher/options/options.h"

namespace muster::options {

std::string help_text() {
  return R"(Usage: srun [srun options] muster [options] [--] program [args...]
       srun muster check [options]      the check alone; its exit code is the verdict
       muster hostnames 'node[1-4]'     expand a Slurm host list

Starts one worker per slot on every node of the step, checks the machine first, watches the workers
and says in one line who failed first. A .py program runs under $PYTHON_EXEC or python3.

Workers
  --nproc-per-node N    workers per node: a number, gpu, cpu or auto
  -m, --module          the program is a Python module
  --no-python           execute the program as it is; --run-path: it is a Python script
  --max-restarts N      start all workers anew after a failure, at most N times
  --standalone          one node, without Slurm
  --exec                the agent becomes the program after the check (one worker per agent)
  --dry-run             print the plan and end
Check
  --check MODE          auto, nccl, fabric or off (default auto)
  --profile NAME        what the machine should have and reach: a name or a .yaml file
  --json FILE           of muster check: all that it found; --html FILE: the same as a page
  --health-only         of muster check: this node's probes alone
  --record-baseline F   write what this machine reaches, as a profile for --profile
  --check-min-busbw G   stop below G GB/s; --check-sizes 8M,1G; --check-deadline SECONDS (5m)
  --nodes N             nodes the program runs on, the others are spares; or --spares K
  --node-memory FILE    shared file that remembers unfit nodes; --drain: tell Slurm of them
  --prewarm CMD         every node runs it while probes and check run: cold imports hide there
Output
  --output WHERE        console, files or both (default console); --log-dir DIR (muster-logs)
  --prefix TEXT         before each line: none, or a text (default '[${host} ${rank}] ')
  --stdin RANK          that worker reads muster's standard input
Network and time
  --interface NAME      that the fabric check measures; --master-port PORT
  --store WHERE         who serves PyTorch's store: agent (default) or rank0
  --store-admission W   whom the agent's store serves: uid (default), node or open
  --assemble-deadline S how long to wait for all nodes (10m)
  --stop-grace S        from the first stop signal to SIGKILL (15)
Other
  -h, --help            this page; -V, --version

torchrun's flags and PET_ variables are understood: launcher/options/README.md lists each of them.

Examples
  srun muster train.py --epochs 3
  srun --nodes=4 --ntasks-per-node=1 muster --nproc-per-node=8 -m my.training
  muster --standalone --nproc-per-node=2 --check=off -- ./a.out
)";
}

}  // namespace muster::options
