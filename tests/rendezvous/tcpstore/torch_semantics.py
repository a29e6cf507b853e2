"""What a store must do, whoever its client is: the cases of PyTorch's own store tests in our words.

A class that mixes StoreSemantics in says how a client is made (`client()`), against a server of its
own for each test. An operation that the client's generation lacks is skipped by name.
"""
import datetime
import faulthandler
import threading
import time
import unittest

from store_process import DEADLINE_S, StoreProcess

SHORT = datetime.timedelta(milliseconds=300)
LONG = datetime.timedelta(seconds=30)


class ServerCase(unittest.TestCase):
    admission = "uid"
    next_port_free = False

    def setUp(self):
        # Some versions of torch hold Python's lock in a call that hangs: this ends the program then.
        faulthandler.dump_traceback_later(3 * DEADLINE_S, exit=True)
        self.addCleanup(faulthandler.cancel_dump_traceback_later)
        self.server = StoreProcess(self.admission, self.next_port_free)
        self.addCleanup(lambda: self.server.close())

    def run_together(self, *bodies):
        """Each body in its own thread; all must return within the deadline, and none may raise."""
        problems = []

        def guarded(body):
            try:
                body()
            except Exception as problem:  # the thread's end, told to the test below
                problems.append(problem)

        threads = [threading.Thread(target=guarded, args=(body,), daemon=True) for body in bodies]
        for thread in threads:
            thread.start()
        until = time.monotonic() + DEADLINE_S
        for thread in threads:
            thread.join(max(0.1, until - time.monotonic()))
            self.assertFalse(thread.is_alive(), "a client hangs")
        if problems:
            raise problems[0]


class StoreSemantics:
    """Needs self.client(world_size=None) and self.generation."""

    def client_with(self, *names):
        store = self.client(world_size=1)
        for name in names:
            if not hasattr(store, name):
                self.skipTest(f"{self.generation} has no {name}")
        return store

    def assert_times_out(self, body):
        began = time.monotonic()
        with self.assertRaises(RuntimeError):
            body()
        self.assertLess(time.monotonic() - began, 10)

    def test_set_get_and_counters(self):
        store = self.client(world_size=1)
        store.set("key", "value")
        store.set("key", "another value")
        self.assertEqual(store.get("key"), b"another value")
        self.assertEqual([store.add("count", n) for n in (1, 2, 3)], [1, 3, 6])
        self.assertEqual(store.get("count"), b"6")
        self.assertEqual(store.add("count", -10), -4)
        self.assertEqual(store.get("count"), b"-4")
        store.set("count", "40")
        self.assertEqual(store.add("count", 2), 42)

    def test_a_counter_that_somebody_wrote(self):
        store = self.client(world_size=1)
        for text, number in (("40\n", 40), (" +7", 7), ("-3.9", -3), ("12 apples", 12)):
            store.set("count", text)
            self.assertEqual(store.add("count", 1), number + 1)
            self.assertEqual(store.get("count"), str(number + 1).encode())

    def test_values_of_any_bytes(self):
        store = self.client(world_size=1)
        for i, value in enumerate(("", "\0", "a\0b", "x" * 1440, "y" * 1441, "z" * 3_000_000)):
            store.set(f"key{i}", value)
            self.assertEqual(store.get(f"key{i}"), value.encode())
        store.set("κλειδί/ with blanks", "v")
        self.assertEqual(store.get("κλειδί/ with blanks"), b"v")

    def test_check_tells_whether_all_keys_are_there(self):
        store = self.client_with("check")
        self.assertFalse(store.check(["a"]))
        store.set("a", "1")
        self.assertTrue(store.check(["a"]))
        self.assertFalse(store.check(["a", "b"]))
        store.set("b", "")
        self.assertTrue(store.check(["a", "b"]))

    def test_compare_set(self):
        store = self.client(world_size=1)
        self.assertEqual(store.compare_set("key", "old", "new"), b"old")
        self.assert_times_out(lambda: self.wait_shortly(self.client(), ["key"]))
        self.assertEqual(store.compare_set("key", "", "first"), b"first")
        self.assertEqual(store.compare_set("key", "other", "second"), b"first")
        self.assertEqual(store.get("key"), b"first")
        self.assertEqual(store.compare_set("key", "first", "second"), b"second")
        self.assertEqual(store.get("key"), b"second")

    def wait_shortly(self, store, keys):
        store.wait(keys, SHORT)

    def test_wait_ends_when_the_last_key_comes(self):
        store = self.client(world_size=1)
        store.set("a", "1")
        store.wait(["a"], LONG)
        other = self.client()
        self.run_together(lambda: store.wait(["a", "b", "c"], LONG),
                          lambda: (other.set("c", "1"), other.add("b", 1)))

    def test_many_wait_for_one_key(self):
        clients = [self.client() for _ in range(16)]
        setter = self.client(world_size=1)
        self.run_together(*[lambda c=c: self.assertEqual(c.get("go"), b"1") for c in clients],
                          lambda: setter.set("go", "1"))

    def test_a_timeout_is_reported(self):
        store = self.client(world_size=1)
        store.set_timeout(SHORT)
        self.assert_times_out(lambda: store.get("missing"))

    def test_a_timeout_does_not_break_the_client(self):
        if not self.cancels_waits:
            self.skipTest(f"{self.generation} has no CANCEL_WAIT: a timeout breaks its connection")
        store, other = self.client(world_size=1), self.client()
        store.set_timeout(SHORT)
        for i in range(3):
            self.assert_times_out(lambda i=i: store.get(f"missing{i}"))
            other.set(f"missing{i}", "late")
            store.set("key", f"value{i}")
            self.assertEqual(store.get("key"), f"value{i}".encode())
            self.assertEqual(store.get(f"missing{i}"), b"late")

    def test_number_of_keys_and_their_deletion(self):
        store = self.client(world_size=1)
        self.assertEqual(store.num_keys(), 1, "init/ counts")
        for i in range(5):
            store.set(f"key{i}", str(i))
        store.set("key0", "again")
        self.assertEqual(store.num_keys(), 6)
        self.assertTrue(store.delete_key("key3"))
        self.assertFalse(store.delete_key("key3"))
        self.assertFalse(store.delete_key("never"))
        self.assertEqual(store.num_keys(), 5)
        store.add("counter", 1)
        self.assertEqual(store.num_keys(), 6)
        self.assertTrue(store.delete_key("counter"))
        self.assertEqual(store.add("counter", 1), 1)
        self.assert_times_out(lambda: self.wait_shortly(self.client(), ["key3"]))

    def many_workers(self, world_size):
        root = self.client(world_size=world_size)
        workers = [self.client(world_size=world_size) for _ in range(3)]

        def work(store, i):
            store.set(f"worker{i}", str(i))
            for j in range(3):
                self.assertEqual(store.get(f"worker{j}"), str(j).encode())
            store.add("done", 1)

        self.run_together(*[lambda s=s, i=i: work(s, i) for i, s in enumerate(workers)])
        self.assertEqual(root.add("done", 0), 3)

    def test_workers_of_a_fixed_world(self):
        self.many_workers(4)

    def test_workers_of_an_open_world(self):
        self.many_workers(None)

    def test_sixteen_clients_at_once(self):
        root = self.client(world_size=1)

        def work(store, name):
            for i in range(100):
                store.add("count", 1)
                store.set(name, str(i))
                self.assertEqual(store.get(name), str(i).encode())

        clients = [self.client() for _ in range(16)]
        self.run_together(*[lambda s=s, i=i: work(s, f"mine{i}") for i, s in enumerate(clients)])
        clients.clear()  # the store lives on without them
        self.assertEqual(root.get("count"), b"1600")
        self.assertEqual([root.get(f"mine{i}") for i in range(16)], [b"99"] * 16)

    def test_wait_from_many_threads_of_one_client(self):
        store, other = self.client(world_size=1), self.client()

        def take(key):
            other_client = self.client()
            other_client.wait([key], LONG)

        self.run_together(*[lambda i=i: take(f"key{i}") for i in range(8)],
                          lambda: [store.set(f"key{i}", "1") for i in range(0, 8, 2)],
                          lambda: [other.set(f"key{i}", "1") for i in range(1, 8, 2)])

    def test_append(self):
        store = self.client_with("append")
        store.set("key", "a")
        store.append("key", "b")
        store.append("key", "c")
        self.assertEqual(store.get("key"), b"abc")
        store.append("new", "first")
        self.assertEqual(store.get("new"), b"first")
        other = self.client()
        self.run_together(lambda: other.wait(["appended"], LONG),
                          lambda: store.append("appended", "x"))

    def test_multi_set_and_multi_get(self):
        store = self.client_with("multi_set", "multi_get")
        store.multi_set(["a", "b"], ["1", "2"])
        self.assertEqual(store.get("a"), b"1")
        store.set("c", "")
        self.assertEqual(store.multi_get(["b", "c", "a", "b"]), [b"2", b"", b"1", b"2"])
        other = self.client()
        self.run_together(
            lambda: self.assertEqual(other.multi_get(["d", "e"]), [b"4", b"5"]),
            lambda: store.multi_set(["d", "e"], ["4", "5"]))

    def test_a_clone_is_the_same_store(self):
        store = self.client_with("clone")
        store.set("key", "value")
        clone = store.clone()
        self.assertEqual(clone.get("key"), b"value")
        self.run_together(lambda: store.wait(["later"], LONG), lambda: clone.set("later", "1"))
        self.assertEqual(store.num_keys(), 3, "a clone does not count in init/")

    def test_queues(self):
        store = self.client_with("queue_push", "queue_pop", "queue_len")
        other = self.client()
        self.assertEqual(store.queue_len("q"), 0)
        self.assertFalse(store.check(["q"]))
        for value in ("1", "2", "3"):
            store.queue_push("q", value)
        self.assertEqual(store.queue_len("q"), 3)
        self.assertTrue(store.check(["q"]))
        store.wait(["q"], LONG)
        self.assertEqual([other.queue_pop("q") for _ in range(3)], [b"1", b"2", b"3"])
        self.assertEqual(store.queue_len("q"), 0)
        self.assertFalse(store.check(["q"]))
        self.assertEqual(store.num_keys(), 1, "queues are no keys")

    def test_queues_that_do_not_block(self):
        store = self.client_with("queue_push", "queue_pop")
        with self.assertRaises(RuntimeError):
            store.queue_pop("q", False)
        store.queue_push("q", "1")
        self.assertEqual(store.queue_pop("q", False), b"1")
        with self.assertRaises(RuntimeError):
            store.queue_pop("q", False)

    def test_queues_in_both_directions(self):
        ours, theirs = self.client_with("queue_push", "queue_pop"), self.client()

        def ask():
            for i in range(20):
                ours.queue_push("there", str(i))
                self.assertEqual(ours.queue_pop("back"), str(i * i).encode())

        def answer():
            for _ in range(20):
                theirs.queue_push("back", str(int(theirs.queue_pop("there")) ** 2))

        self.run_together(ask, answer)

    def test_a_queue_item_wakes_one_waiter(self):
        pusher = self.client_with("queue_push", "queue_pop")
        taken = []
        takers = [lambda c=self.client(): taken.append(c.queue_pop("q")) for _ in range(4)]
        self.run_together(*takers, lambda: [pusher.queue_push("q", str(i)) for i in range(4)])
        self.assertEqual(sorted(taken), [b"0", b"1", b"2", b"3"])

    def test_queues_time_out_and_go_on(self):
        store = self.client_with("queue_push", "queue_pop")
        store.set_timeout(SHORT)
        self.assert_times_out(lambda: store.queue_pop("q"))
        store.queue_push("q", "1")
        self.assertEqual(store.queue_pop("q"), b"1")

    def test_list_of_keys(self):
        store = self.client_with("list_keys")
        self.assertEqual(store.list_keys(), [])
        store.set("b", "1")
        store.set("a/c", "2")
        store.add("d", 1)
        self.assertEqual(sorted(store.list_keys()), ["a/c", "b", "d"])
        store.delete_key("b")
        self.assertEqual(sorted(store.list_keys()), ["a/c", "d"])

    def test_barrier(self):
        self.client_with("barrier")
        clients = [self.client() for _ in range(5)]
        self.run_together(*[lambda c=c: c.barrier("all", 5, LONG) for c in clients])
        clients[0].barrier("all", 5, SHORT)  # a later round on the same key passes at once

    def test_a_barrier_times_out_and_goes_on(self):
        store, other = self.client_with("barrier"), self.client()
        self.assert_times_out(lambda: store.barrier("two", 2, SHORT))
        other.barrier("two", 2, LONG)  # the count of the one that gave up stays
        store.set("key", "1")
        self.assertEqual(store.get("key"), b"1")
