#!/usr/bin/env python3
"""muster --standalone, the whole program on one node: the same path as under Slurm, with loopback.

Runs in the developer's build too, so that the sanitizers see the agent, the coordinator, a check
gang and the end of a job. MUSTER_BIN_DIR names the folder of the programs.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BIN = os.environ.get("MUSTER_BIN_DIR", "build/dev/bin")
DEADLINE_S = 60
PYTHON = "/usr/bin/python3"  # Debian's, which may have Debian's torch
PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../system/programs")
NOBODY = 65534
with open(os.path.join(PROGRAMS, "knock.py"), encoding="utf-8") as knock_file:
    KNOCK = knock_file.read()  # by its text: another user may not read the checkout


def run(*words, **more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "PET_"))}
    environment.update(more.pop("environment", {}))
    return subprocess.run(
        [os.path.join(BIN, "muster"), *words],
        env=environment, capture_output=True, text=True, timeout=DEADLINE_S, **more,
    )


def standalone(*words, check="off", **more):
    return run("--standalone", f"--check={check}", *words, **more)


def nothing_left_with(setting, limit_s=3):
    """Whether all with this setting in their environment are gone; the guardian leaves last."""
    until = time.monotonic() + limit_s
    while processes_with(setting):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def processes_with(setting):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if setting.encode() in file.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            pass  # it ended, or is not ours
    return found


class Standalone(unittest.TestCase):
    def test_every_worker_gets_its_rank_and_the_same_meeting_place(self):
        done = standalone("--nproc-per-node=3", "--prefix=none", "--", "sh", "-c",
                          "echo $RANK/$WORLD_SIZE $LOCAL_RANK $MASTER_ADDR:$MASTER_PORT")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = sorted(done.stdout.split("\n"))[1:]
        self.assertEqual([line.split()[0] for line in lines], ["0/3", "1/3", "2/3"])
        self.assertEqual([line.split()[1] for line in lines], ["0", "1", "2"])
        self.assertEqual(len({line.split()[2] for line in lines}), 1)
        self.assertRegex(lines[0], r"127\.0\.0\.1:1\d{4}$")

    def test_a_pytorch_program_meets_in_the_agent_s_store(self):
        if subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode != 0:
            self.skipTest(f"{PYTHON} has no torch; install with: tests/install-packages pytorch")
        done = standalone("--nproc-per-node=4", "--prefix=none", f"{PROGRAMS}/use_store.py", "env",
                          environment={"PYTHON_EXEC": PYTHON})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "done env True\n", done.stderr)

    def test_the_store_serves_the_job_s_user_and_shows_another_one_out(self):
        if os.geteuid() != 0:
            self.skipTest("to act as another user takes root")
        with subprocess.Popen(
            [os.path.join(BIN, "muster"), "--standalone", "--check=off", "--prefix=none",
             "--nproc-per-node=1", "--", "sh", "-c",
             "echo $MASTER_ADDR $MASTER_PORT; exec sleep 1000"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as child:
            address, port = child.stdout.readline().split()
            knock = [PYTHON, "-c", KNOCK, address, port]
            answers = [subprocess.run([*prefix, *knock], capture_output=True, text=True,
                                      timeout=DEADLINE_S).stdout.strip()
                       for prefix in ([], ["setpriv", f"--reuid={NOBODY}", "--clear-groups"])]
            child.send_signal(signal.SIGTERM)
            _, errors = child.communicate(timeout=DEADLINE_S)
        self.assertEqual(answers, ["served", "shown out"], errors)
        refused = [line for line in errors.splitlines() if "refused" in line]
        self.assertEqual(len(refused), 1, errors)
        self.assertRegex(refused[0], rf"^muster: store: refused 127\.0\.0\.1: uid {NOBODY} owns")

    def test_a_port_that_is_taken_is_refused_in_one_line(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = standalone(f"--master-port={port}", "--", "true")
        self.assertEqual(done.returncode, 80, done.stderr)
        self.assertRegex(done.stderr, rf"^muster: localhost: --master-port={port}: .*\n$")

    def test_rank_0_s_own_store_is_left_to_the_program(self):
        done = standalone("--store=rank0", "--prefix=none", "--", "sh", "-c",
                          "echo $TORCHELASTIC_USE_AGENT_STORE")
        self.assertEqual((done.returncode, done.stdout), (0, "False\n"), done.stderr)

    def test_standard_input_for_a_rank_that_is_not_there_is_refused(self):
        done = standalone("--nproc-per-node=2", "--stdin=2", "--", "echo", "started")
        self.assertEqual((done.returncode, done.stdout), (80, ""), done.stderr)
        self.assertEqual(done.stderr, "muster: --stdin=2: the world has 2 workers; expected a rank "
                                      "of 0 to 1\n")

    def test_the_first_failure_is_named_and_its_code_returned(self):
        done = standalone("--nproc-per-node=4", "--", "sh", "-c",
                          "if [ $RANK = 2 ]; then echo it broke >&2; exit 3; fi; exec sleep 1000")
        self.assertEqual(done.returncode, 3, done.stderr)
        last = done.stderr.strip().split("\n")[-1]
        self.assertRegex(last, r"rank 2 .*failed first: exit code 3")
        self.assertIn("  | it broke", done.stderr)

    def test_a_worker_that_ignores_sigterm_is_killed_after_the_grace(self):
        with tempfile.TemporaryDirectory() as folder:
            fifo = os.path.join(folder, "ready")
            os.mkfifo(fifo)
            done = standalone("--nproc-per-node=2", "--stop-grace=1", "--", "sh", "-c",
                              "if [ $RANK = 1 ]; then read line <$0; exit 7; fi; "
                              "trap '' TERM; echo ready >$0; while :; do sleep 1000; done", fifo)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("SIGKILL", done.stderr)

    def test_a_program_that_is_not_there_is_127_in_one_line(self):
        done = standalone("--", "no-such-program-here")
        self.assertEqual(done.returncode, 127, done.stderr)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)

    def test_a_worker_that_cannot_be_started_is_named_once(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "train")
            with open(program, "w", encoding="utf-8") as file:
                file.write("#!/no/such/interpreter\n")
            os.chmod(program, 0o755)
            done = standalone("--nproc-per-node=2", "--", program)
        self.assertEqual(done.returncode, 126, done.stderr)
        self.assertRegex(done.stderr.splitlines()[-1],
                         rf"^muster: rank \d \(localhost, local rank \d\) could not start: exec {program}: ")

    def test_a_node_that_cannot_join_says_itself_what_is_wrong(self):
        task = {"SLURM_PROCID": "3", "SLURM_LOCALID": "0", "SLURMD_NODENAME": "node2"}
        done = run("--nproc-per-node=", "true", environment=task)
        self.assertEqual(done.returncode, 80, done.stderr)
        self.assertRegex(done.stderr, r"^muster: node2: --nproc-per-node=: the value is empty.*\n$")
        second = run("--nproc-per-node=", "true", environment={**task, "SLURM_LOCALID": "1"})
        self.assertEqual((second.returncode, second.stderr), (80, ""))

    def test_variables_that_name_no_first_task_of_a_node_are_told_by_task_0(self):
        done = run("true", environment={
            "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_STEP_NODELIST": "node1",
            "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_NODEID": "0", "SLURM_PROCID": "0",
            "SLURM_LOCALID": "9"})
        self.assertEqual(done.returncode, 80, done.stderr)
        self.assertRegex(done.stderr, r"^muster: SLURM_LOCALID is 9.*\n$")

    def test_the_help_is_printed_by_one_task(self):
        self.assertIn("srun muster", run("--help", environment={"SLURM_PROCID": "0"}).stdout)
        other = run("--help", environment={"SLURM_PROCID": "1", "SLURM_LOCALID": "0"})
        self.assertEqual((other.returncode, other.stdout), (0, ""))

    def test_a_cancel_is_the_first_cause(self):
        with subprocess.Popen(
            [os.path.join(BIN, "muster"), "--standalone", "--check=off", "--nproc-per-node=2", "--",
             "sh", "-c", "echo started; exec sleep 1000"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as child:
            self.assertIn("started", child.stdout.readline())
            self.assertIn("started", child.stdout.readline())
            child.send_signal(signal.SIGTERM)
            _, errors = child.communicate(timeout=DEADLINE_S)
        self.assertEqual(child.returncode, 128 + signal.SIGTERM, errors)
        self.assertIn("SIGTERM", errors)

    def test_the_check_gang_runs_and_the_workers_follow(self):
        done = standalone("--nproc-per-node=2", "--check-sizes=64K", "--", "sh", "-c",
                          "echo worker $RANK", check="fabric")
        if "no muster-bench-fabric.so" in done.stderr or "not beside muster" in done.stderr:
            self.skipTest("this build has no fabric backend")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"check: fabric all_reduce 1 ranks? .*fit")
        self.assertIn("worker 1", done.stdout)

    def test_check_alone_judges_prints_a_table_and_writes_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "check.json")
            done = run("check", "--standalone", f"--json={path}")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        self.assertRegex(done.stderr, r"(?m)^localhost: \w+  .*SKIP$")
        self.assertRegex(done.stderr, r"muster: check: fit as far as the probes tell")
        self.assertEqual((found["verdict"], len(found["nodes"])), ("fit", 1))

    def test_results_that_cannot_be_written_are_refused_before_the_check(self):
        for option in ("--json", "--html", "--record-baseline"):
            for path in ("/no/such/folder/x", "/proc"):
                done = run("check", "--standalone", f"{option}={path}")
                self.assertEqual(done.returncode, 80, done.stderr)
                self.assertRegex(done.stderr, f"^muster: localhost: {option}={path}: .*\n$")

    def test_a_node_memory_without_its_folder_is_told_before_the_job(self):
        done = standalone("--nproc-per-node=1", "--node-memory=/no/such/memory", "--", "true",
                          check="fabric")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr.splitlines()[0],
                         r"^muster: ignoring the node memory: /no/such/memory: folder /no/such: No such file")

    def test_a_folder_for_the_lines_that_cannot_be_made_is_refused(self):
        done = standalone("--output=both", "--log-dir=/proc/no/logs", "--", "echo", "started")
        self.assertEqual((done.returncode, done.stdout), (80, ""), done.stderr)
        self.assertRegex(done.stderr, r"^muster: localhost: --log-dir=/proc/no/logs: make /proc/no: .*\n$")

    def test_a_program_of_the_working_directory_is_told_by_its_path(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "train.sh"), "w", encoding="utf-8"):
                pass
            done = standalone("train.sh", cwd=folder)
        self.assertEqual(done.returncode, 127, done.stderr)
        self.assertIn("not found in PATH; write ./train.sh for the one in the working directory",
                      done.stderr)

    def test_the_dry_run_promises_no_port_that_is_not_chosen(self):
        self.assertIn("MASTER_PORT='(chosen at start)'", standalone("--dry-run", "true").stdout)
        self.assertIn("MASTER_PORT=29500",
                      standalone("--dry-run", "--master-port=29500", "true").stdout)

    def test_health_only_judges_this_node_by_the_profile_that_is_given(self):
        fit = run("check", "--health-only")
        self.assertEqual(fit.returncode, 0, fit.stderr + fit.stdout)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mine.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("profile: mine\nhost: {nofile: 1073741824}\n")
            unfit = run("check", "--health-only", f"--profile={path}")
        self.assertEqual(unfit.returncode, 83, unfit.stderr + unfit.stdout)
        self.assertRegex(unfit.stderr, r"(?m)^muster: health: \S+: FAIL nofile ")
        self.assertIn("FAIL  nofile", unfit.stdout)

    def test_a_profile_s_environment_is_told_and_the_user_s_settings_win(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mine.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("profile: mine\nsources: {us: here}\nenvironment:\n" + "".join(
                    f"  - {{name: {name}, value: profile, reason: it helps, source: us}}\n"
                    for name in ("NCCL_ONE", "NCCL_TWO")))
            done = standalone(f"--profile={path}", "--prefix=none", "--", "sh", "-c",
                              "echo $NCCL_ONE $NCCL_TWO", environment={"NCCL_TWO": "user"})
        self.assertEqual((done.returncode, done.stdout), (0, "profile user\n"), done.stderr)
        self.assertIn("muster: profile: set NCCL_ONE=profile: it helps", done.stderr)
        self.assertIn("kept your NCCL_TWO=user", done.stderr)

    def test_a_prewarm_that_ends_in_time_is_one_line_and_prints_nothing(self):
        done = standalone("--check-sizes=64K", "--prewarm=echo out; echo err >&2; read x || exit 0",
                          "--", "sh", "-c", "echo worker", check="fabric")
        if "no muster-bench-fabric.so" in done.stderr or "not beside muster" in done.stderr:
            self.skipTest("this build has no fabric backend")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = [line for line in done.stderr.splitlines() if "prewarm" in line]
        self.assertEqual(len(told), 1, done.stderr)
        self.assertRegex(told[0], r"^muster: --prewarm ended after \d\.\d s on localhost, before")
        self.assertNotIn("out\n", done.stdout.replace("localhost", ""))

    def test_a_prewarm_that_fails_is_told_with_its_last_words_and_fails_nobody(self):
        done = standalone("--prewarm=echo first >&2; echo '  \033[31mno such module' >&2; exit 3",
                          "--", "sleep", "0.5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"^muster: localhost: --prewarm exited with 3 after \d\.\d s:"
                                      r" +no such module\n$")
        done = standalone("--prewarm=kill -SEGV $$", "--", "sleep", "0.5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"--prewarm died by signal 11 \(SIGSEGV\).* after \d\.\d s\n$")

    def test_a_prewarm_that_floods_its_stderr_stops_nobody(self):
        done = standalone("--prewarm=yes >&2", "--", "sleep", "0.5")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_prewarm_runs_like_the_node_s_first_worker_at_low_priority(self):
        names = "RANK LOCAL_RANK WORLD_SIZE MASTER_ADDR MASTER_PORT MUSTER_TOKEN ROLE_NAME USERS"
        show = "".join(f"echo {name}=${{{name}-unset}};" for name in names.split())
        with tempfile.TemporaryDirectory() as folder:
            done = standalone("--nproc-per-node=2", "--role=trainer",
                              f"--prewarm=({show} pwd; nice; ulimit -n) >got.new; mv got.new got",
                              "--", "sh", "-c", "until [ -e got ]; do sleep 0.02; done; ulimit -n",
                              cwd=folder, environment={"USERS": "own", "MASTER_ADDR": "old",
                                                       "MUSTER_TOKEN": "secret"})
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(folder, "got"), encoding="utf-8") as file:
                got = file.read().split()
            self.assertEqual(got[:8], ["RANK=0", "LOCAL_RANK=0", "WORLD_SIZE=2",
                                       "MASTER_ADDR=unset", "MASTER_PORT=unset",
                                       "MUSTER_TOKEN=unset", "ROLE_NAME=trainer", "USERS=own"])
            self.assertEqual(got[8], os.path.realpath(folder))
            self.assertEqual(int(got[9]), min(19, os.nice(0) + 10))
            self.assertIn(got[10], done.stdout)

    def test_a_prewarm_that_outlives_the_check_ends_with_the_job(self):
        """At once when it obeys SIGTERM, after 1 s when it does not, descendants included."""
        for trap, least in (("", 0), ("trap '' TERM; ", 1)):
            with self.subTest(trap=trap), tempfile.TemporaryDirectory() as folder:
                done = standalone(f"--prewarm={trap}sleep 1000 & setsid sleep 1001 &"
                                  f" echo >{folder}/ready; wait; sleep 1002", "--", "sh", "-c",
                                  f"until [ -e {folder}/ready ]; do sleep 0.02; done; date +%s.%N",
                                  environment={"TEST_FOLDER": folder})
                ended = time.time() - float(done.stdout.split()[-1])
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(nothing_left_with(f"TEST_FOLDER={folder}"))
                self.assertGreater(ended, least)
                self.assertLess(ended, least + 6)  # a loaded machine, sanitizers

    def test_a_prewarm_does_not_outlive_the_agent_that_becomes_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            done = standalone("--exec", "--prewarm=trap '' TERM; sleep 1000; sleep 1001", "--", "sh",
                              "-c", "unset TEST_FOLDER; exec cat /proc/[0-9]*/environ",
                              environment={"TEST_FOLDER": folder})
        self.assertNotIn("-beside\0", done.stdout)
        self.assertTrue(nothing_left_with(f"TEST_FOLDER={folder}"))

    def test_exec_becomes_the_program(self):
        done = standalone("--exec", "--", "sh", "-c", "echo $RANK of $WORLD_SIZE; ls /proc/self/fd | wc -w; exit 9")
        self.assertEqual(done.returncode, 9, done.stderr)
        self.assertIn("0 of 1", done.stdout)
        self.assertLessEqual(int(done.stdout.split()[-1]), 4, "descriptors leaked into the program")

    def test_dry_run_prints_the_plan_and_starts_nothing(self):
        done = standalone("--dry-run", "--nproc-per-node=4", "--", "sh", "-c", "echo started")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("started\n", done.stdout.replace("echo started", ""))
        self.assertIn("localhost", done.stdout)

    def test_outside_slurm_the_error_says_what_to_write(self):
        done = run("--", "true")
        self.assertEqual(done.returncode, 80)
        self.assertIn("srun muster", done.stderr)
        self.assertIn("--standalone", done.stderr)

    def test_hostnames_expands_a_list(self):
        done = run("hostnames", "node[08-10]")
        self.assertEqual(done.stdout, "node08\nnode09\nnode10\n", done.stderr)
        self.assertEqual(run("hostnames", "node[1-").returncode, 80)

    def test_an_unknown_option_is_one_line_with_the_nearest_name(self):
        done = run("--standalone", "--nproc-per-nod=2", "--", "true")
        self.assertEqual(done.returncode, 80)
        self.assertIn("--nproc-per-node", done.stderr)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1)

    def test_stdin_goes_to_the_rank_that_was_asked_for(self):
        done = standalone("--nproc-per-node=2", "--stdin=1", "--prefix=none", "--", "sh", "-c",
                          "read line; echo $RANK got [$line]", input="hello\n")
        self.assertEqual(sorted(done.stdout.strip().split("\n")), ["0 got []", "1 got [hello]"])

    def test_long_lines_come_in_marked_pieces_none_over_1024_bytes(self):
        done = standalone("--", "sh", "-c", "head -c 5000 /dev/zero | tr '\\0' x; echo")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.strip().split("\n")
        self.assertGreater(len(lines), 4)
        self.assertLessEqual(max(len(line) for line in lines), 1023)
        self.assertEqual(sum(len(re.sub(r"[^x]", "", line)) for line in lines), 5000)


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BIN, "muster")):
        sys.exit(f"no {BIN}/muster: set MUSTER_BIN_DIR to the folder of the programs")
    unittest.main(verbosity=2)
