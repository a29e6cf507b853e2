"""How a program is started, or not: names, --exec, --dry-run, --standalone, stdin, hostnames."""
import re

import harness
import worlds
from harness import ClusterTest

CANNOT_EXECUTE, NOT_FOUND = 126, 127


class Start(ClusterTest):
    def muster(self, *words, srun=("-N4", "--ntasks-per-node=8"), **more):
        return self.run_to_end("srun", *srun, "muster", "--check=off", *words, **more)

    def expect_one_line(self, run, code, pattern):
        self.expect_failure(run, code, pattern)
        naming = [line for line in run.muster_lines() if re.search(pattern, line)]
        self.assertEqual(len(naming), 1, run)

    def test_a_program_that_is_not_there(self):
        run = self.muster("/no/such/program")
        self.expect_one_line(run, NOT_FOUND, r"/no/such/program")

    def test_a_name_that_path_does_not_have(self):
        run = self.muster("no-such-program")
        self.expect_one_line(run, NOT_FOUND, r"no-such-program")

    def test_a_file_that_is_no_program(self):
        path = self.path("data")
        with open(path, "w", encoding="utf-8") as file:
            file.write("no program\n")
        run = self.muster(path)
        self.expect_one_line(run, CANNOT_EXECUTE, re.escape(path))

    def test_a_python_script_runs_unbuffered_under_python3(self):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write("import os, sys\nprint('python', os.environ['RANK'], *sys.argv[1:])\n")
        run = self.muster(script, "--epochs", "3", srun=["-N2"])
        self.expect_code(run, 0)
        self.assertEqual(sorted(re.findall(r"python (\d) --epochs 3", run.out)), ["0", "1"], run)

    def test_the_run_command_and_double_dash(self):
        run = self.run_to_end("srun", "-N2", "muster", "run", "--check=off", "--", "echo", "-x")
        self.expect_code(run, 0)
        self.assertEqual(sorted(run.out.splitlines()), ["[node1 0] -x", "[node2 1] -x"], run)

    def test_exec_makes_the_agent_the_program(self):
        run = self.run_to_end("srun", "-N2", "--ntasks-per-node=2", "muster", "--check=off",
                              "--exec", worlds.PRINT_WORLD)
        worlds.expect_world(self, run, [("node1", 2), ("node2", 2)])
        self.assertNotIn("[node", run.out, run)

    def test_exec_passes_the_program_s_own_code_and_leaves_no_child(self):
        run = self.run_to_end("srun", "-N2", "muster", "--check=off", "--exec", harness.ZOO,
                              "if-rank", "1", "exit", "3")
        self.expect_code(run, 3)

    def test_dry_run_prints_the_plan_and_starts_nothing(self):
        run = self.muster("--dry-run", "touch", self.path("started"))
        self.expect_code(run, 0)
        text = run.out + run.err
        self.assertIn("4 nodes, 32 agents, 32 workers", text, run)
        self.assertEqual(text.count("command of each worker"), 1, run)
        self.assertIn("WORLD_SIZE=32", text, run)
        self.assertEqual(self.lines("started"), [])

    def test_standalone_needs_no_slurm(self):
        run = self.run_to_end("muster", "--standalone", "--check=off", "--nproc-per-node=4",
                              f"{harness.PROGRAMS}/meet.py")
        self.expect_code(run, 0)
        self.assertIn("met 1 2 3", run.out, run)

    def test_standalone_reports_a_failure_as_under_slurm(self):
        run = self.run_to_end("muster", "--standalone", "--check=off", "--nproc-per-node=4",
                              "--stop-grace=5", harness.ZOO, "if-rank", "2", "exit", "7", "wait")
        self.expect_failure(run, 7, r"rank 2 .*failed first: exit code 7", grace=0)

    def test_a_note_is_told_once_for_the_step(self):
        run = self.muster("--redirects=2", "true", srun=["-N4"])
        self.expect_code(run, 0)
        notes = [line for line in run.muster_lines() if "--redirects=2" in line]
        self.assertEqual(len(notes), 1, run)

    def test_hostnames_prints_as_scontrol_does(self):
        expression = "node[08-11,2],login,r[1-2]c[1-2]"
        ours = self.cluster.ask("muster", "hostnames", expression)
        self.assertEqual(ours, self.cluster.ask("scontrol", "show", "hostnames", expression))

    def test_stdin_goes_to_one_rank(self):
        path = self.path("input")
        with open(path, "w", encoding="utf-8") as file:
            file.write("to you\n")
        with open(path, "rb") as file:
            run = self.muster("--stdin=2", "--nproc-per-node=1", "sh", "-c",
                              'echo "$RANK got <$(cat)>"', srun=["-N4"], stdin=file)
        self.expect_code(run, 0)
        got = sorted(re.findall(r"(\d) got <(.*)>", run.out))
        self.assertEqual(got, [("0", ""), ("1", ""), ("2", "to you"), ("3", "")], run)


if __name__ == "__main__":
    harness.main()
