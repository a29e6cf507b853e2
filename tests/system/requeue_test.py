"""A requeued job meets again: the same job id and step numbers, another incarnation."""
import re

import harness
import worlds
from harness import ClusterTest, wait_until

REQUEUE_LIMIT_S = 60  # Slurm starts the job again after some 13 s


class Requeue(ClusterTest):
    settings = {"KILLWAIT": 2}

    def test_the_second_run_of_a_requeued_job_works(self):
        first_only = '[ "${SLURM_RESTART_COUNT:-0}" = 0 ]'
        job = self.batch(
            f"srun muster --check=off --stop-grace=1 sh -c '{worlds.PRINT_WORLD};"
            f" if {first_only}; then exec {harness.ZOO} ignore TERM tell-pid {self.path('pids')}"
            f" wait; fi' >>{self.path('world')} 2>>{self.path('errors')}\n"
            f"echo $? >>{self.path('codes')}\n",
            "--nodes=4", "--ntasks-per-node=2", "--requeue", "--open-mode=append")
        self.await_lines("pids", 8)
        self.cluster.ask("scontrol", "requeue", job)
        wait_until(lambda: not self.processes("child_zoo"), "the end of the first run's workers")
        wait_until(lambda: "0" in self.lines("codes"), "the second run's end", REQUEUE_LIMIT_S)
        self.await_job(job)
        text = "\n".join(self.lines("world"))
        runs = {worker["run"] for worker in worlds.read_workers(text)}
        self.assertEqual(len(runs), 2, runs)
        second = re.findall(rf"rank=(\d+) .*run=(\S*\b{job}\b\S*)", text)
        by_run = {run: sorted(int(rank) for rank, r in second if r == run) for _, run in second}
        self.assertEqual(list(by_run.values()), [list(range(8))] * 2, text)


if __name__ == "__main__":
    harness.main()
