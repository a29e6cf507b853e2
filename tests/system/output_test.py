"""The workers' lines: whole, prefixed, in files; srun tears writes above 1,024 bytes."""
import collections
import os
import re
import signal

import harness
from harness import ClusterTest, ZOO, wait_until

PREFIXED = re.compile(r"^\[(node\d) (\d+)\] (.*)$")


class Output(ClusterTest):
    def muster(self, *words, srun=("-N4", "--ntasks-per-node=2"), **more):
        return self.run_to_end("srun", *srun, "muster", "--check=off", *words, **more)

    def by_rank(self, run):
        """The texts of each rank; every line must have a prefix that is true."""
        texts = collections.defaultdict(list)
        for line in run.out.splitlines():
            match = PREFIXED.match(line)
            self.assertIsNotNone(match, line)
            host, rank, text = match.groups()
            self.assertEqual(host, f"node{int(rank) // 2 + 1}", line)
            texts[int(rank)].append(text)
        return texts

    def test_lines_of_all_workers_stay_whole_and_in_order(self):
        run = self.muster(ZOO, "flood", "500", "200")
        self.expect_code(run, 0)
        texts = self.by_rank(run)
        self.assertEqual(sorted(texts), list(range(8)))
        for rank, lines in texts.items():
            numbers = [int(re.match(r"line (\d+) x+$", line).group(1)) for line in lines]
            self.assertEqual(numbers, list(range(500)), f"rank {rank}")

    def test_long_lines_come_in_marked_pieces(self):
        run = self.muster(ZOO, "long", "5000")
        self.expect_code(run, 0)
        for rank, pieces in self.by_rank(run).items():
            self.assertGreater(len(pieces), 4, f"rank {rank}")
            self.assertTrue(all(piece.startswith("... ") for piece in pieces[1:]), pieces)
            text = "".join([pieces[0]] + [piece.removeprefix("... ") for piece in pieces[1:]])
            self.assertEqual(text, "y" * 5000, f"rank {rank}")
        self.assertLessEqual(max(len(line) + 1 for line in run.out.splitlines()), 1024)

    def test_a_line_without_end_is_shown(self):
        run = self.muster(ZOO, "half", "Step 1 of 2 ...", srun=("-N2",))
        self.expect_code(run, 0)
        self.assertEqual(sorted(run.out.splitlines()),
                         ["[node1 0] Step 1 of 2 ...", "[node2 1] Step 1 of 2 ..."], run)

    def test_stdout_and_stderr_stay_apart(self):
        run = self.muster(ZOO, "print", "to stdout", "print-error", "to stderr", srun=("-N2",))
        self.expect_code(run, 0)
        self.assertEqual(sorted(run.out.splitlines()),
                         ["[node1 0] to stdout", "[node2 1] to stdout"], run)
        self.assertEqual(sorted(run.err.splitlines()),
                         ["[node1 0] to stderr", "[node2 1] to stderr"], run)

    def test_a_prefix_of_one_s_own_or_none(self):
        run = self.muster("--prefix=none", ZOO, "print", "bare", srun=("-N2",))
        self.assertEqual(run.out.splitlines(), ["bare", "bare"], run)
        run = self.muster("--prefix=${rank}/${local_rank}: ", ZOO, "print", "text", srun=("-N2",))
        self.assertEqual(sorted(run.out.splitlines()), ["0/0: text", "1/0: text"], run)

    def test_unbuffered_lines_are_not_coloured(self):
        # srun -u gives each task a pseudo-terminal.
        run = self.muster(ZOO, "print", "bare", srun=("-N2", "-u"))
        self.assertEqual(sorted(line.rstrip() for line in run.out.splitlines()),
                         ["[node1 0] bare", "[node2 1] bare"], run)

    def job_folder(self, logs):
        """The one folder that the one job made in `logs`."""
        (name,) = os.listdir(logs)
        self.assertRegex(name, r"^\d+\.\d+\.\d+$")
        return os.path.join(logs, name)

    def test_files_have_a_directory_per_rank(self):
        logs = self.path("logs")
        run = self.muster("--output=files", f"--log-dir={logs}", ZOO, "print", "to stdout",
                          "print-error", "to stderr", "long", "5000")
        self.expect_code(run, 0)
        self.assertNotIn("to stdout", run.out, run)
        root = os.path.join(self.job_folder(logs), "attempt_0")
        self.assertEqual(sorted(os.listdir(root), key=int), [str(rank) for rank in range(8)], run)
        for rank in range(8):
            stdout = harness.read_text(os.path.join(root, str(rank), "stdout.log"))
            self.assertEqual(stdout, "to stdout\n" + "y" * 5000 + "\n", f"rank {rank}")
            stderr = harness.read_text(os.path.join(root, str(rank), "stderr.log"))
            self.assertEqual(stderr, "to stderr\n", f"rank {rank}")

    def test_both_writes_to_both(self):
        logs = self.path("logs")
        run = self.muster("--output=both", f"--log-dir={logs}", ZOO, "print", "hello",
                          srun=("-N2",))
        self.expect_code(run, 0)
        self.assertEqual(sorted(run.out.splitlines()), ["[node1 0] hello", "[node2 1] hello"], run)
        for rank in "01":
            path = os.path.join(self.job_folder(logs), "attempt_0", rank, "stdout.log")
            self.assertEqual(harness.read_text(path), "hello\n", run)

    def test_steps_that_share_a_folder_keep_their_files_apart(self):
        logs = self.path("logs")
        for word in ("one", "two"):
            run = self.muster("--output=files", f"--log-dir={logs}", ZOO, "print", word,
                              srun=("-N1",))
            self.expect_code(run, 0)
        texts = [harness.read_text(os.path.join(logs, job, "attempt_0", "0", "stdout.log"))
                 for job in os.listdir(logs)]
        self.assertEqual(sorted(texts), ["one\n", "two\n"])

    def test_a_folder_that_cannot_be_written_is_refused_before_anything_starts(self):
        run = self.muster("--output=files", "--log-dir=/proc/no/logs", ZOO, "print", "started",
                          srun=("-N2",))
        self.expect_failure(run, 80, r"node\[1-2\]: --log-dir=/proc/no/logs: .*No such file")
        self.assertNotIn("started", run.out, run)

    def test_a_worker_that_closes_its_streams_harms_nobody(self):
        run = self.muster(ZOO, "close-stdout", "sleep", "200")
        self.expect_code(run, 0)

    def test_the_last_words_of_a_flood_are_all_there(self):
        run = self.muster("--stop-grace=3", ZOO, "flood", "2000", "500", "print-error", "the end",
                          "if-rank", "5", "exit", "3", "wait")
        self.expect_code(run, 3)
        self.expect_verdict(run, r"rank 5 .*exit code 3")
        self.assertIn("  | the end", run.err, run)
        self.assertIn("line 1999 ", run.out, "rank 5's last line")

    def test_what_a_console_does_not_take_is_put_aside(self):
        temporary = self.path("tmp")
        os.mkdir(temporary)
        for fifo in ("go", "end"):
            os.mkfifo(self.path(fifo))
        run = self.start("srun", "-N1", "muster", "--check=off", ZOO,
                         "await-fifo", self.path("go"), "flood", "40000", "127",
                         "tell-pid", self.path("told"), "await-fifo", self.path("end"),
                         TMPDIR=temporary)
        wait_until(lambda: self.processes("child_zoo"), "the worker")
        sruns = self.processes("srun")
        for srun in sruns:
            srun.signal(signal.SIGSTOP)
        try:
            self.wake("go")
            self.await_lines("told", 1)  # the worker went on, though nobody took its lines
        finally:
            for srun in sruns:
                srun.signal(signal.SIGCONT)
            run.process.send_signal(signal.SIGCONT)  # nsenter stops itself when srun stops
        self.wake("end")
        self.expect_code(run.finish(), 0)
        (name,) = os.listdir(temporary)
        self.assertRegex(name, r"^muster-\d+\.0\.0-\d+-attempt_0-rank_0\.out$")
        path = os.path.join(temporary, name)
        aside = harness.read_text(path).splitlines()
        shown = run.out.splitlines()
        notice = (f"[node1 0] muster: {len(aside)} lines put aside in node1:{path}, "
                  "the output did not keep up")
        self.assertEqual(shown.count(notice), 1, run)
        place = shown.index(notice)
        numbers = [int(re.match(r"\[node1 0\] line (\d+) x+$", line).group(1))
                   for line in shown[:place] + aside + shown[place + 1:]]
        self.assertEqual(numbers, list(range(40000)))


if __name__ == "__main__":
    harness.main()
