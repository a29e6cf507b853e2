"""A stranger at the doors: scan_ports.py SEED SECONDS ADDRESS:PORT... Each connection is one of
MANNERS; some are kept, silent or fed byte by byte. Prints "scanned N", of those that were let in."""
import random
import socket
import ssl
import struct
import sys
import time

MOST_KEPT = 100


def tls_hello():
    outgoing = ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), outgoing,
                                                              server_hostname="example.com")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


VALIDATE = b"\x00\xce\xf7\x85\x3c"  # of PyTorch's store
HUGE = 0x7fffffffffffffff
GREETINGS = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", tls_hello(), b"",
    # As long as a number can say: a frame of the agents' door, a string and a list of the store.
    struct.pack("<IBBHQ", 0xffffffff, 1, 2, 0, 0), struct.pack("<IBBHQ", 0x7fffffff, 1, 48, 0, 1),
    VALIDATE + struct.pack("=BQ", 1, HUGE), VALIDATE + struct.pack("=BQ", 6, HUGE),
    b"\xff" * 64, b"\x00" * 64)
chance = random.Random(sys.argv[1])


def speak(door):
    door.sendall(chance.choice(GREETINGS) + chance.randbytes(chance.choice((0, 0, 9, 300, 20000))))


def speak_and_listen(door):
    speak(door)
    door.settimeout(0.05)
    door.recv(100)


def reset(door):
    speak(door)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def keep(door):  # half open, or after a word
    if chance.random() < 0.5:
        speak(door)
    kept.append((door, chance.choice(GREETINGS)))


MANNERS = (speak, speak_and_listen, speak_and_listen, reset, keep)
kept, scanned = [], 0
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    address, port = chance.choice(sys.argv[3:]).rsplit(":", 1)
    try:
        door = socket.create_connection((address, int(port)), timeout=1)
        scanned += 1
        manner = chance.choice(MANNERS if len(kept) < MOST_KEPT else MANNERS[:-1])
        manner(door)
        if manner is not keep:
            door.close()
    except OSError:
        time.sleep(0.01)
    if kept and scanned % 10 == 0:  # a slow drip
        place = chance.randrange(len(kept))
        door, rest = kept[place]
        try:
            door.sendall(rest[:1] or b"\x01")
            kept[place] = (door, rest[1:])
        except OSError:
            kept.pop(place)
print("scanned", scanned, flush=True)
