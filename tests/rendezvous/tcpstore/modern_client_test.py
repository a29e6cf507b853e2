#!/usr/bin/env python3
"""The store's semantics with the bytes of torch 2.2 and later, and what no PyTorch client can show:
split and joined requests, wrong bytes, limits. Needs no torch."""
import os
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import modern_client as wire  # noqa: E402
from modern_client import ModernStore, RawClient, StoreError, number, request, text  # noqa: E402
from torch_semantics import ServerCase, StoreSemantics  # noqa: E402

NONCE = 4711
PONG = struct.pack("<I", NONCE)


class Case(ServerCase):
    generation = "the modern client"
    cancels_waits = True

    def client(self, world_size=None):
        store = ModernStore(self.server.port, world_size)
        self.addCleanup(store.close)
        return store

    def raw(self):
        client = RawClient(self.server.port)
        self.addCleanup(client.close)
        return client

    def greeted(self):
        client = self.raw()
        client.send(wire.hello(NONCE))
        self.assertEqual(client.receive(4), PONG)
        return client

    def assert_closed(self, client):
        with self.assertRaisesRegex(StoreError, "closed the connection"):
            while client.receive(1, 10) is not None:
                pass
            self.fail("the connection is still open")


class ModernClient(StoreSemantics, Case):
    pass


class Waits(Case):
    def test_cancel_without_a_wait_has_exactly_one_reply(self):
        store = self.client()
        self.assertEqual(store.cancel_wait(), wire.WAIT_CANCELED)
        self.assertEqual(store.cancel_wait(), wire.WAIT_CANCELED)
        store.set("key", "1")
        self.assertEqual(store.get("key"), b"1")

    def test_a_cancelled_wait_is_forgotten(self):
        client = self.greeted()
        client.send(request(wire.WAIT, number(1), text("/key")))
        self.assertIsNone(client.receive(1, 0.1))
        client.send(request(wire.CANCEL_WAIT))
        self.assertEqual(client.receive(1), bytes([wire.WAIT_CANCELED]))
        self.client().set("key", "1")
        client.send(request(wire.PING, PONG))
        self.assertEqual(client.receive(4), PONG)

    def test_a_cancel_that_crosses_the_answer_has_two_replies(self):
        client, store = self.greeted(), self.client()
        client.send(request(wire.WAIT, number(1), text("/key")))
        store.set("key", "1")
        self.assertEqual(store.get("key"), b"1")
        client.send(request(wire.CANCEL_WAIT))
        self.assertEqual(client.receive(2), bytes([wire.STOP_WAITING, wire.WAIT_CANCELED]))

    def test_a_wait_for_the_same_key_twice_ends_once(self):
        client, store = self.greeted(), self.client()
        client.send(request(wire.WAIT, number(3), text("/a"), text("/b"), text("/a")))
        store.set("a", "1")
        self.assertIsNone(client.receive(1, 0.1))
        store.set("b", "1")
        self.assertEqual(client.receive(1), bytes([wire.STOP_WAITING]))
        self.assertIsNone(client.receive(1, 0.1))

    def test_a_waiter_that_leaves_disturbs_nobody(self):
        leaver, stayer, store = self.greeted(), self.greeted(), self.client()
        for client in (leaver, stayer):
            client.send(request(wire.WAIT, number(1), text("/key")))
        leaver.close()
        store.set("key", "1")
        self.assertEqual(stayer.receive(1), bytes([wire.STOP_WAITING]))


class Bytes(Case):
    """A request may arrive in any pieces, and several at once."""

    set_wait_get = (request(wire.SET, text("/k"), text("v")) +
                    request(wire.WAIT, number(1), text("/k")) + request(wire.GET, text("/k")))
    answer = bytes([wire.STOP_WAITING]) + text("v")

    def test_split_at_every_byte(self):
        whole = wire.hello(NONCE) + self.set_wait_get
        for cut in range(1, len(whole)):
            client = self.raw()
            client.send(whole[:cut])
            time.sleep(0.002)  # makes two packets likely; either way the answer is the same
            client.send(whole[cut:])
            self.assertEqual(client.receive(4 + len(self.answer)), PONG + self.answer, cut)
            client.close()

    def test_one_byte_at_a_time(self):
        client = self.raw()
        for byte in wire.hello(NONCE) + self.set_wait_get:
            client.send(bytes([byte]))
        self.assertEqual(client.receive(4 + len(self.answer)), PONG + self.answer)

    def test_a_thousand_requests_in_one_packet(self):
        client = self.greeted()
        client.send(self.set_wait_get * 1000)
        self.assertEqual(client.receive(1000 * len(self.answer)), self.answer * 1000)

    def test_requests_behind_an_open_wait_keep_their_order(self):
        client, store = self.greeted(), self.client()
        client.send(request(wire.WAIT, number(1), text("/later")) +
                    request(wire.SET, text("/k"), text("v")) + request(wire.CANCEL_WAIT))
        self.assertEqual(client.receive(1), bytes([wire.WAIT_CANCELED]))
        self.assertEqual(store.get("k"), b"v")

    def test_get_of_a_missing_key_is_empty(self):
        client = self.greeted()
        client.send(request(wire.GET, text("/missing")))
        self.assertEqual(client.receive(8), number(0))


class Edges(Case):
    """The smallest and the largest that PyTorch's newest server takes."""

    def test_nothing_at_all(self):
        client = self.greeted()
        client.send(request(wire.WAIT, number(0)) + request(wire.CHECK, number(0)) +
                    request(wire.MULTI_GET, number(0)) + request(wire.MULTI_SET, number(0)))
        self.assertEqual(client.receive(2), bytes([wire.STOP_WAITING, wire.READY]))
        client.send(request(wire.SET, text(""), text("")) + request(wire.CHECK, number(1), text("")))
        self.assertEqual(client.receive(1), bytes([wire.READY]))
        client.send(request(wire.COMPARE_SET, text(""), text(""), text("v")))
        self.assertEqual(client.receive(9), text("v"))
        client.send(request(wire.DELETE_KEY, text("")) + request(wire.DELETE_KEY, text("")))
        self.assertEqual(client.receive(16), number(1) + number(0))

    def test_the_longest_key_and_the_largest_values(self):
        store = self.client()
        value = bytes(range(256)) * (8 * 2**20 // 256)
        keys = ["k" * (8 * 1024 - 1)] + [f"key{i}" for i in range(6)]
        for key in keys:
            store.set(key, value)
        self.assertTrue(all(got == value for got in store.multi_get(keys)))

    def test_hundreds_of_megabytes_at_once(self):
        store = self.client()
        value = bytes(8 * 2**20)
        keys = [f"key{i}" for i in range(25)]
        store.multi_set(keys, [value] * len(keys))
        self.assertTrue(all(got == value for got in store.multi_get(keys)))
        for _ in range(10):
            store.append("grown", value)
        self.assertEqual(store.get("grown"), 10 * value)

    def test_as_many_keys_as_a_request_may_have(self):
        store = self.client()
        names = [f"{i}" for i in range(128 * 1024)]
        store.multi_set(names, ["v"] * len(names))
        self.assertTrue(store.check(names))
        self.assertEqual(store.num_keys(), len(names))
        self.assertEqual(len(store.list_keys()), len(names))

    def test_a_request_that_is_cut_off_is_not_served(self):
        client, store = self.greeted(), self.client()
        whole = request(wire.MULTI_SET, number(2), text("/a"), text("1"), text("/b"), text("2"))
        client.send(request(wire.SET, text("/before"), text("1")) + whole[:-1])
        store.wait(["before"])
        client.close()
        self.assertFalse(store.check(["a"]))
        self.assertEqual(store.list_keys(), ["before"])

    def test_a_barrier_of_one_or_none(self):
        store = self.client()
        for world_size in (1, 0, -1):
            store.barrier(f"barrier of {world_size}", world_size, 1)

    def test_a_queue_is_not_deleted_as_a_key(self):
        store = self.client()
        store.queue_push("q", "1")
        self.assertFalse(store.delete_key("q"))
        store.set("q", "value")
        self.assertEqual(store.get("q"), b"value")
        self.assertTrue(store.delete_key("q"))
        self.assertTrue(store.check(["q"]))
        self.assertEqual(store.queue_pop("q"), b"1")


class Breaches(Case):
    """Each closes its own connection, and nobody else's."""

    def assert_only_this_one_ends(self, *packets):
        bystander = self.client(world_size=1)
        client = self.raw()
        for packet in packets:
            try:
                client.send(packet)
            except OSError:
                break  # closed already
        self.assert_closed(client)
        bystander.set("key", "1")
        self.assertEqual(bystander.get("key"), b"1")

    def test_a_wrong_magic(self):
        self.assert_only_this_one_ends(b"\x00\x01\x02\x03\x04")

    def test_a_http_request(self):
        self.assert_only_this_one_ends(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n")

    def test_an_unknown_operation(self):
        self.assert_only_this_one_ends(wire.hello(NONCE), b"\xee")

    def test_a_key_that_is_too_long(self):
        self.assert_only_this_one_ends(wire.hello(NONCE),
                                       request(wire.GET, struct.pack("<Q", 8 * 1024 + 1)))

    def test_a_value_that_is_too_long(self):
        self.assert_only_this_one_ends(
            wire.hello(NONCE), request(wire.SET, text("/k"), struct.pack("<Q", 8 * 2**20 + 1)))

    def test_a_length_of_2_to_the_63(self):
        self.assert_only_this_one_ends(wire.hello(NONCE),
                                       request(wire.SET, struct.pack("<Q", 2**63)))

    def test_too_many_keys(self):
        self.assert_only_this_one_ends(wire.hello(NONCE),
                                       request(wire.WAIT, struct.pack("<Q", 128 * 1024 + 1)))

    def test_a_counter_that_is_no_number(self):
        store = self.client(world_size=1)
        store.set("text", "not a number")
        self.assert_only_this_one_ends(wire.hello(NONCE),
                                       request(wire.ADD, text("/text"), number(1)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
