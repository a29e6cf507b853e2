"""What is done about unfit nodes meets real Slurm: the commands of --drain do what they say, in the
words they say, and the node memory is read at the start of a job."""
import os
import re

import harness
from harness import BIN, ClusterTest

REASON = "muster: slow: 'pairs' 'of' ?HOME/ (job 4711)"  # see drain_nodes.cc
DRAINED = r"State=\S*\+DRAIN"  # IDLE+DRAIN
OUT_OF_SERVICE = r"State=\S*(DRAIN|FAIL)"


class Drain(ClusterTest):
    settings = {"GPUS": 0}

    def drain(self, *words, by=()):
        """As muster does at the end of a job; on the login node."""
        self.addCleanup(self.resume)
        run = self.run_to_end(*by, os.path.join(BIN, "drain_nodes"), *words)
        self.expect_code(run, 0)
        return run

    def resume(self):
        """Those that are out of service; it is an error for others."""
        for name in ("node1", "node2", "node3", "node4"):
            if re.search(OUT_OF_SERVICE, self.node(name)):
                self.cluster.ask("scontrol", "update", f"nodename={name}", "state=resume")

    def node(self, name):
        return self.cluster.ask("scontrol", "show", "node", name, "--oneliner")

    def reason(self, name):
        return re.search(r"Reason=(.*?) \[", self.node(name)).group(1)

    def test_the_nodes_are_drained_with_the_reason(self):
        run = self.drain("node3", "node2")
        self.assertEqual(
            run.out, f'drain: scontrol update nodename="node[2-3]" state=drain reason="{REASON}": '
            "done\n", run)
        for name in ("node2", "node3"):
            self.assertRegex(self.node(name), DRAINED)
            self.assertEqual(self.reason(name), REASON)
        for name in ("node1", "node4"):
            self.assertNotRegex(self.node(name), DRAINED)

    def test_the_printed_line_does_the_same_in_a_shell(self):
        line = self.drain("node3", "node2").out.removeprefix("drain: ").removesuffix(": done\n")
        self.resume()
        self.assertNotRegex(self.node("node2"), DRAINED)
        self.cluster.ask("bash", "-c", line)
        for name in ("node2", "node3"):
            self.assertRegex(self.node(name), DRAINED)
            self.assertEqual(self.reason(name), REASON)

    def test_hyperpod_reads_its_own_words(self):
        run = self.drain("--hyperpod", "node3")
        self.assertRegex(run.out, r"state=fail .*: done\n$", run)
        self.assertRegex(self.node("node3"), r"State=\S*FAIL")
        self.assertEqual(self.reason("node3"), "Action:Replace")

    def test_a_user_who_may_not_is_told_so(self):
        os.chmod(self.folder, 0o755)
        run = self.drain("node3", by=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
        self.assertRegex(run.out, r"^drain: scontrol update .*: exit code 1: slurm_update error: ")
        self.assertEqual(len(run.out.splitlines()), 1, run)
        self.assertNotRegex(self.node("node3"), DRAINED)

    def test_a_node_that_slurm_does_not_know_is_told(self):
        run = self.drain("node77")
        self.assertRegex(run.out, r"exit code 1: .*(Invalid node name|Unknown node)", run)

    def test_the_next_submission_stays_off_the_excluded_nodes(self):
        run = self.run_to_end("srun", "-N2", "--exclude=node[2-3]", "hostname")
        self.assertEqual(sorted(run.out.split()), ["node1", "node4"], run)


class Memory(ClusterTest):
    settings = {"GPUS": 0}

    def muster(self, *options, **variables):
        return self.run_to_end("srun", "-N4", "--ntasks-per-node=1", "muster", "--nproc-per-node=1",
                               "--check-sizes=64K", *options, "true",
                               limit=harness.CHECK_LIMIT_S, **variables)

    def memory_lines(self, run):
        return [line for line in run.muster_lines() if "node memory" in line]

    def test_a_memory_that_is_in_order_is_read_in_silence(self):
        memory = self.path("memory")
        self.run_to_end(os.path.join(BIN, "drain_nodes"), memory, "node3")
        self.assertEqual(len(self.lines("memory")), 1)
        run = self.muster(MUSTER_NODE_MEMORY=memory)
        self.expect_code(run, 0)
        self.assertEqual(self.memory_lines(run), [], run)

    def test_foreign_lines_are_told_once_and_keep_nobody_from_running(self):
        with open(self.path("memory"), "w", encoding="utf-8") as file:
            file.write("hello\n{}\n")
        run = self.muster(f"--node-memory={self.path('memory')}")
        self.expect_code(run, 0)
        self.assertEqual(self.memory_lines(run),
                         [f"muster: node memory {self.path('memory')}: skipped 2 lines that are no "
                          "records"], run)

    def test_what_is_no_file_is_told_once_and_keeps_nobody_from_running(self):
        os.mkfifo(self.path("memory"))
        run = self.muster(f"--node-memory={self.path('memory')}")
        self.expect_code(run, 0)
        self.assertEqual(self.memory_lines(run),
                         [f"muster: ignoring the node memory: {self.path('memory')}: is no regular "
                          "file; name a file"], run)

    def test_without_a_check_it_is_not_read(self):
        os.mkfifo(self.path("memory"))
        run = self.muster(f"--node-memory={self.path('memory')}", "--check=off")
        self.expect_code(run, 0)
        self.assertEqual(self.memory_lines(run), [], run)


if __name__ == "__main__":
    harness.main()
