"""Every shape of a step that Slurm can make becomes the right world, or one clear error."""
import harness
import worlds
from harness import ClusterTest

FOUR = ["node1", "node2", "node3", "node4"]
USAGE = 80


def places(*counts):
    return list(zip(FOUR, counts))


class Shapes(ClusterTest):
    def muster(self, srun, options=(), **more):
        words = ["srun", *srun, "muster", "--check=off", *options, worlds.PRINT_WORLD]
        return self.run_to_end(*words, **more)

    def expect_usage_error(self, run, pattern, speakers=1):
        """One line, soon; nothing was started. Nodes that cannot even meet speak for themselves."""
        self.expect_failure(run, USAGE, pattern)
        self.assertNotIn("world rank", run.out, run)
        self.assertEqual(len(run.muster_lines()), speakers, run)

    # Worlds.

    def test_eight_tasks_a_node_make_one_worker_each(self):
        run = self.muster(["-N4", "--ntasks-per-node=8", "--gpus-per-node=8"])
        workers = worlds.expect_world(self, run, places(8, 8, 8, 8))
        self.assertEqual({worker["master"] for worker in workers}, {"10.77.0.1"}, run)

    def test_eight_tasks_a_node_with_eight_workers_a_node_are_still_eight(self):
        run = self.muster(["-N4", "--ntasks-per-node=8"], ["--nproc_per_node=8"])
        worlds.expect_world(self, run, places(8, 8, 8, 8))

    def test_one_task_a_node_makes_eight_workers(self):
        run = self.muster(["-N4", "--ntasks-per-node=1"], ["--nproc-per-node=8"])
        workers = worlds.expect_world(self, run, places(8, 8, 8, 8))
        self.assertEqual({worker["master"] for worker in workers}, {"10.77.0.1"}, run)

    def test_two_tasks_a_node_share_eight_slots(self):
        run = self.muster(["-N2", "--ntasks-per-node=2"], ["--nproc-per-node=8"])
        worlds.expect_world(self, run, places(8, 8))

    def test_workers_meet_at_the_address_they_were_given(self):
        run = self.run_to_end(
            "srun", "-N4", "--ntasks-per-node=1", "muster", "--check=off", "--nproc-per-node=2",
            f"{harness.PROGRAMS}/meet.py")
        self.expect_code(run, 0)
        self.assertIn("met 1 2 3 4 5 6 7", run.out, run)

    def test_slurm_ignores_fewer_tasks_in_a_batch_script(self):
        # srun warns that SLURM_NTASKS=32 wins: eight agents a node, not one.
        job = self.batch(
            f"srun --ntasks-per-node=1 muster --check=off --nproc-per-node=8 {worlds.PRINT_WORLD}"
            f" >{self.path('world')} 2>{self.path('errors')}; echo $? >{self.path('code')}\n",
            "--nodes=4", "--ntasks-per-node=8")
        self.assertEqual(self.await_lines("code", 1), ["0"], self.lines("errors"))
        self.await_job(job)
        workers = worlds.read_workers("\n".join(self.lines("world")))
        self.assertEqual([worker["rank"] for worker in workers], list(range(32)))
        self.assertEqual({worker["size"] for worker in workers}, {32})

    def test_cyclic_distribution(self):
        run = self.muster(["-N4", "--ntasks-per-node=2", "--distribution=cyclic"])
        worlds.expect_world(self, run, places(2, 2, 2, 2))

    def test_arbitrary_distribution_with_task_0_on_the_last_node(self):
        hosts = self.path("hosts")
        with open(hosts, "w", encoding="utf-8") as file:
            file.write("node3\nnode1\nnode1\nnode2\n")
        run = self.muster(["-N3", "-n4", "--distribution=arbitrary"], SLURM_HOSTFILE=hosts)
        worlds.expect_world(self, run, places(2, 1, 1))

    def test_part_of_an_allocation(self):
        run = self.run_to_end(
            "salloc", "-N4", "--ntasks-per-node=2", "srun", "-N2", "-n4", "-w", "node2,node4",
            "muster", "--check=off", worlds.PRINT_WORLD)
        worlds.expect_world(self, run, [("node2", 2), ("node4", 2)])

    def test_uneven_tasks(self):
        run = self.muster(["-N3", "-n7", "--distribution=block"])
        counts = [sum(worker["host"] == host for worker in worlds.read_workers(run.out))
                  for host in FOUR[:3]]
        self.assertGreater(len(set(counts)), 1, run)
        worlds.expect_world(self, run, places(*counts))

    def test_heterogeneous_step(self):
        words = ["muster", "--check=off", worlds.PRINT_WORLD]
        run = self.run_to_end("srun", "-N1", "-n2", *words, ":", "-N1", "-n3", *words)
        workers = worlds.read_workers(run.out)
        counts = {worker["host"]: worker["locals"] for worker in workers}
        self.assertEqual(sorted(counts.values()), [2, 3], run)
        worlds.expect_world(self, run, sorted(counts.items()))

    # Errors.

    def test_tasks_that_do_not_divide_the_slots(self):
        run = self.muster(["-N2", "--ntasks-per-node=3"], ["--nproc-per-node=8"])
        self.expect_usage_error(run, r"3 tasks and 8 slots, and 3 does not divide 8: write `srun ")

    def test_a_slot_per_gpu_where_no_gpu_is_visible(self):
        run = self.muster(["-N2", "--ntasks-per-node=1"], ["--nproc-per-node=gpu"])
        self.expect_usage_error(run, r"--nproc-per-node=gpu: no GPU is visible on node1")

    def test_a_batch_script_without_srun(self):
        job = self.batch(
            f"muster --check=off {worlds.PRINT_WORLD} 2>{self.path('errors')};"
            f" echo $? >{self.path('code')}\n", "--nodes=4", "--ntasks-per-node=8")
        self.assertEqual(self.await_lines("code", 1), [str(USAGE)])
        self.await_job(job)
        errors = self.lines("errors")
        self.assertEqual(len(errors), 1, errors)
        self.assertRegex(errors[0], r"^muster: .*batch script .*4 nodes.*`srun muster PROGRAM`")

    def test_an_salloc_shell(self):
        run = self.run_to_end("salloc", "-N4", "--no-shell")
        job = run.err.split("job allocation ")[1].split()[0]
        shell = self.run_to_end("srun", f"--jobid={job}", "--interactive", "muster", "--check=off",
                                worlds.PRINT_WORLD)
        self.cluster.ask("scancel", job)
        self.expect_usage_error(shell, r"interactive shell \(salloc\).*`srun muster PROGRAM`")

    def test_an_overwritten_variable(self):
        run = self.run_to_end(
            "srun", "-N2", "sh", "-c",
            f"SLURM_STEP_NUM_NODES=3 exec muster --check=off {worlds.PRINT_WORLD}")
        self.expect_usage_error(run, r"SLURM_STEP_NUM_NODES is 3, but SLURM_STEP_NODELIST makes 2",
                                speakers=2)

    def test_a_missing_variable(self):
        run = self.run_to_end(
            "srun", "-N2", "env", "-u", "SLURM_STEP_NODELIST", "muster", "--check=off",
            worlds.PRINT_WORLD)
        self.expect_usage_error(run, r"SLURM_STEP_NODELIST is not set", speakers=2)

    def test_a_variable_that_is_missing_on_one_node_ends_the_job_on_all(self):
        run = self.run_to_end(
            "srun", "-N4", "sh", "-c",
            "[ $SLURM_NODEID != 2 ] || unset SLURM_STEP_TASKS_PER_NODE;"
            f" exec muster --check=off --assemble-deadline=5 {worlds.PRINT_WORLD}")
        self.expect_failure(run, 81, r"node3", grace=5)

    def test_a_node_rank_that_the_batch_shell_expanded(self):
        run = self.muster(["-N4"], ["--node_rank=0"])
        self.expect_usage_error(run, r"--node.rank=0")

    def test_a_node_count_that_slurm_does_not_give(self):
        run = self.muster(["-N2"], ["--nnodes=4"])
        self.expect_usage_error(run, r"--nnodes=4.* 2")

    def test_an_unknown_option(self):
        run = self.muster(["-N4", "--ntasks-per-node=8"], ["--nproc-per-nod=8"])
        self.expect_usage_error(run, r"--nproc-per-nod.*--nproc-per-node")

    def test_a_wrong_value_is_one_line_whatever_the_number_of_nodes(self):
        run = self.muster(["-N4", "--ntasks-per-node=8"], ["--max-restarts=many"])
        self.expect_usage_error(run, r"^muster: --max-restarts.*many")

    def words_of_its_own(self, node, words):
        """A shell on one node makes other words of the line."""
        script = (f"[ $SLURM_NODEID != {node - 1} ] || set -- {words};"
                  f" exec muster --check=off \"$@\" {worlds.PRINT_WORLD}")
        return self.run_to_end("srun", "-N4", "sh", "-c", script)

    def test_words_that_are_wrong_on_one_node_alone_name_it(self):
        run = self.words_of_its_own(3, "--max-restarts=")
        self.expect_usage_error(run, r"^muster: node3: --max-restarts")

    def test_words_that_are_wrong_on_the_first_node_alone_name_it(self):
        run = self.words_of_its_own(1, "--no-such-option")
        self.expect_usage_error(run, r"^muster: node1: .*--no-such-option", speakers=2)

    def test_a_wrong_word_of_a_command_that_needs_no_other_task_waits_for_none(self):
        script = "[ $SLURM_PROCID != 0 ] || exec muster --dry-run --no-such-option"
        run = self.run_to_end("srun", "-N2", "sh", "-c", script)
        self.expect_usage_error(run, r"^muster: .*--no-such-option")


class FewCores(ClusterTest):
    """Slurm binds each task to the cores it was given."""

    nodes = 1
    settings = {"CPUS": 2, "GPUS": 0, "EXTRA_CONF": "TaskPlugin=task/affinity"}

    def test_fewer_cores_than_workers_names_the_option(self):
        run = self.run_to_end("srun", "-N1", "-n1", "-c1", "--cpu-bind=cores", "muster",
                              "--check=off", "--nproc-per-node=2", worlds.PRINT_WORLD)
        self.expect_failure(run, USAGE, r"2 workers.*1 core\b.*srun -c")


if __name__ == "__main__":
    harness.main()
