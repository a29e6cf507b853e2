"""muster_rendezvous.py without PyTorch, over the real library."""
import os
import subprocess
import sys
import unittest

from python_members import LIMIT_S, MembersTest, clean_environment


class PythonModule(MembersTest):
    def run_alone(self, program, **variables):
        return subprocess.run([sys.executable, "-c", program], env=clean_environment(**variables),
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)

    def test_members_use_everything(self):
        outputs = self.run_members(3, """
            import muster_rendezvous as m
            with m.Group.join(facts=b"\\0facts", timeout=20) as group:
                assert group.size == 3
                group.set("of %d" % group.rank, b"a\\0b")
                group.wait(["of 0", "of 1", "of 2"])
                assert group.get("of 2") == b"a\\0b"
                group.add("sum", 2)
                group.barrier()
                assert group.add("sum", 0) == 6 and group.get("sum") == b"6"
                assert group.all_gather(b"x" * group.rank) == [b"", b"x", b"xx"]
                for root in range(3):
                    assert group.broadcast("from %d" % group.rank, root) == b"from %d" % root
                assert group.broadcast(b"") == b""
                peer = group.peer(1)
                assert (peer.rank, peer.local_rank, peer.host) == (1, 2, "localhost"), peer
                assert peer.facts == b"\\0facts" and peer.address == "127.0.0.1"
                print(group)
        """)
        self.assertEqual(outputs, [f"Group(rank={rank}, size=3)\n" for rank in range(3)])

    def test_errors_are_exceptions_with_code_and_text(self):
        self.run_members(1, """
            import muster_rendezvous as m
            def code_of(call, *arguments, **more):
                try:
                    call(*arguments, **more)
                except m.MusterError as error:
                    assert str(error) == error.text and error.text
                    return error.code
                return 0
            group = m.Group.join(timeout=20)
            assert code_of(group.get, "absent", timeout=0.05) == m.TIMEOUT
            assert code_of(group.get, "a", timeout=-1) == m.INVALID_ARGUMENT
            assert code_of(group.get, "a\\0b") == m.INVALID_ARGUMENT
            assert code_of(group.set, "key", b"x" * (2 ** 20 + 1)) == m.LIMIT
            assert code_of(group.peer, 1) == m.INVALID_ARGUMENT
            group.leave()
            assert code_of(group.barrier) == m.INVALID_ARGUMENT
            group.close()
        """)

    def test_join_that_nobody_answers_names_the_missing(self):
        done = self.run_alone("""if True:
            import muster_rendezvous as m
            try:
                m.Group.join_with(job=7, members_per_node=[2], node=0, local_rank=0,
                                  hosts=["127.0.0.1"], timeout=0.3)
            except m.MusterError as error:
                print(error.code == m.TIMEOUT, error)
        """)
        self.assertRegex(done.stdout, "^True .*node0", done)

    def test_without_a_group_the_error_says_what_to_do(self):
        done = self.run_alone("import muster_rendezvous as m\nm.Group.join()")
        self.assertIn("MusterError: join: the environment names no group", done.stderr)

    def test_without_a_library_the_error_names_the_variable(self):
        done = self.run_alone("import muster_rendezvous as m\nprint('imported')\nm.Group.join()",
                              MUSTER_RENDEZVOUS_LIBRARY="/nowhere/lib.so")
        self.assertEqual(done.stdout, "imported\n")
        self.assertIn("set MUSTER_RENDEZVOUS_LIBRARY", done.stderr)

    def test_group_that_is_forgotten_is_left_at_exit(self):
        members = self.start_members(2, """
            import muster_rendezvous as m
            group = m.Group.join(timeout=20)
            if group.rank == 1:
                group.leave(timeout=20)  # serves the group: returns when rank 0 is gone, too
                print("left")
        """)
        outputs = [member.communicate(timeout=LIMIT_S) for member in members]
        self.assertEqual(outputs[1][0], "left\n", outputs)

    def test_forked_child_leaves_its_parents_group_alone(self):
        self.run_members(1, """
            import os
            import muster_rendezvous as m
            group = m.Group.join(timeout=20)
            child = os.fork()
            if child == 0:
                try:
                    group.barrier()
                except m.MusterError as error:
                    assert "fork" in error.text, error
                    raise SystemExit(0)  # with all that Python does at its end
                raise SystemExit(1)
            assert os.waitpid(child, 0)[1] == 0
            group.barrier()
            group.leave()
        """)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    unittest.main(verbosity=2)
