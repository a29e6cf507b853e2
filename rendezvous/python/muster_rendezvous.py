"""muster_rendezvous: the processes of a job find each other, then share a store, barriers, gathers
and broadcasts. Pure ctypes over libmuster_rendezvous.so.0; nothing to compile.

    import muster_rendezvous

    with muster_rendezvous.Group.join(timeout=60) as group:
        ids = group.all_gather(b"from %d" % group.rank)
        group.barrier()

`Group.join()` asks the environment: under srun each task is one member and SLURM_PROCID its rank.

With PyTorch, under plain `srun python train.py`:

    import muster_rendezvous
    import torch.distributed as dist

    muster_rendezvous.register_torch()
    dist.init_process_group("nccl", init_method="muster://")

The library is looked for at $MUSTER_RENDEZVOUS_LIBRARY, beside this file, where `make install` puts
both, then where the system keeps libraries. It is loaded by the first call, not by the import.

Times are seconds and every call has one: there is no waiting for ever. While a call waits, Ctrl-C
is only remembered; it is raised when the call ends. A group may be used by several threads, one
after the other, and by the process that joined only, not by one forked from it.
"""
import atexit
import contextlib
import ctypes
import datetime
import os
import threading
import urllib.parse
import weakref

__all__ = ["Group", "MusterError", "Peer", "library_version", "register_torch", "torch_group"]

DEFAULT_JOIN_TIMEOUT = 600.0
DEFAULT_TIMEOUT = 60.0
LEAVE_AT_EXIT = 5.0  # the interpreter ends at most this much later

SONAME = "libmuster_rendezvous.so.0"
LIBRARY_VARIABLE = "MUSTER_RENDEZVOUS_LIBRARY"
INSTALLED_LIBRARY = "../../libmuster_rendezvous.so.0"  # from <lib>/muster/python, its own place

# muster_code of muster_rendezvous.h. Numbers never change their meaning.
INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE, TIMEOUT, PERMISSION_DENIED = 1, 2, 3, 4, 5
PROTOCOL, LIMIT, CANCELLED, SYSTEM, UNSUPPORTED = 6, 7, 8, 9, 10


class MusterError(RuntimeError):
    """A call failed: `code` is one of the numbers above, `text` one line for people."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text


# --- the C side, see muster_rendezvous.h --------------------------------------------------------


class _Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 2048)]


class _Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Peer(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t), ("rank", ctypes.c_uint32), ("node", ctypes.c_uint32),
        ("local_rank", ctypes.c_uint32), ("pid", ctypes.c_uint32), ("host", ctypes.c_char_p),
        ("address", ctypes.c_char_p), ("facts", ctypes.c_void_p), ("facts_size", ctypes.c_size_t),
    ]


class _JoinOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t), ("job", ctypes.c_uint64), ("step", ctypes.c_uint32),
        ("restart_count", ctypes.c_uint32), ("name", ctypes.c_char_p),
        ("members_per_node", ctypes.POINTER(ctypes.c_uint32)), ("nodes", ctypes.c_uint32),
        ("node", ctypes.c_uint32), ("local_rank", ctypes.c_uint32), ("host_count", ctypes.c_uint32),
        ("hosts", ctypes.POINTER(ctypes.c_char_p)), ("ports", ctypes.POINTER(ctypes.c_uint16)),
        ("port_count", ctypes.c_size_t), ("key", ctypes.c_char_p), ("key_size", ctypes.c_size_t),
        ("facts", ctypes.c_char_p), ("facts_size", ctypes.c_size_t),
    ]


def _signatures():
    handle, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    number, error = ctypes.c_int, ctypes.POINTER(_Error)
    out_bytes = ctypes.POINTER(_Bytes)
    return {
        "muster_version": (ctypes.c_uint32, []),
        "muster_join": (number, [ctypes.POINTER(_JoinOptions), number, ctypes.POINTER(handle),
                                 error]),
        "muster_join_environment": (number, [text, text, size, number, ctypes.POINTER(handle),
                                             error]),
        "muster_rank": (ctypes.c_uint32, [handle]),
        "muster_size": (ctypes.c_uint32, [handle]),
        "muster_peer_at": (number, [handle, ctypes.c_uint32, ctypes.POINTER(_Peer), error]),
        "muster_set": (number, [handle, text, text, size, number, error]),
        "muster_get": (number, [handle, text, out_bytes, number, error]),
        "muster_wait": (number, [handle, ctypes.POINTER(text), size, number, error]),
        "muster_add": (number, [handle, text, ctypes.c_int64, ctypes.POINTER(ctypes.c_int64),
                                number, error]),
        "muster_barrier": (number, [handle, number, error]),
        "muster_all_gather": (number, [handle, text, size, out_bytes, number, error]),
        "muster_broadcast": (number, [handle, ctypes.c_uint32, ctypes.c_void_p, size, number,
                                      error]),
        "muster_leave": (number, [handle, number, error]),
        "muster_free": (None, [handle]),
        "muster_bytes_free": (None, [out_bytes]),
    }


def _library_places():
    chosen = os.environ.get(LIBRARY_VARIABLE)
    if chosen:
        return [chosen]
    here = os.path.dirname(os.path.realpath(__file__))
    near = [os.path.join(here, SONAME), os.path.normpath(os.path.join(here, INSTALLED_LIBRARY))]
    return [path for path in near if os.path.exists(path)] + [SONAME]


_loaded = None


def _library():
    global _loaded
    if _loaded is None:
        places = _library_places()
        try:
            loaded = ctypes.CDLL(places[0])
        except OSError as error:
            raise MusterError(NOT_FOUND, f"{places[0]} cannot be loaded ({error}); set "
                              f"{LIBRARY_VARIABLE} to the path of {SONAME}") from None
        for name, (result, arguments) in _signatures().items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        _loaded = loaded
    return _loaded


def _call(name, *arguments):
    error = _Error()
    code = getattr(_library(), name)(*arguments, ctypes.byref(error))
    if code != 0:
        raise MusterError(code, error.text.decode(errors="replace"))


def _milliseconds(timeout):
    if isinstance(timeout, datetime.timedelta):
        timeout = timeout.total_seconds()
    # A wait of 0.1 ms is still a wait; 24 days are the longest that C takes.
    return min(-int(-timeout * 1000 // 1), 2**31 - 1)


def _key(key):
    encoded = key.encode() if isinstance(key, str) else bytes(key)
    if b"\0" in encoded:
        raise MusterError(INVALID_ARGUMENT, f"the key {key!r} has a zero byte in it")
    return encoded


def _value(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def _take(value):
    try:
        return ctypes.string_at(value.data, value.size)
    finally:
        _library().muster_bytes_free(ctypes.byref(value))


# --- groups -------------------------------------------------------------------------------------


class Peer:
    """One member: rank, node, local_rank, pid, host, address (numeric), facts (bytes)."""

    def __init__(self, rank, node, local_rank, pid, host, address, facts):
        self.rank = rank
        self.node = node
        self.local_rank = local_rank
        self.pid = pid
        self.host = host
        self.address = address
        self.facts = facts

    def __repr__(self):
        return f"Peer(rank={self.rank}, host={self.host!r}, address={self.address!r})"


class Group:
    """A complete group. Leave it with leave(), or use it in a `with` statement."""

    @classmethod
    def join(cls, name="", facts=b"", timeout=DEFAULT_JOIN_TIMEOUT):
        """Joins the group of the environment: one that a launcher prepared, else the tasks of this
        Slurm step. Blocks until all came; MusterError with code TIMEOUT names who did not. `name`
        tells several groups of one step apart; `facts` is what others read of us in peer()."""
        handle = ctypes.c_void_p()
        facts = _value(facts)
        _call("muster_join_environment", _key(name), facts, len(facts), _milliseconds(timeout),
              ctypes.byref(handle))
        return cls(handle)

    @classmethod
    def join_with(cls, *, job, members_per_node, node, local_rank, hosts, step=0, restart_count=0,
                  name="", ports=(), key=None, facts=b"", timeout=DEFAULT_JOIN_TIMEOUT):
        """The same, told everything: see muster_join_options. `hosts` are names or addresses of
        node 0, `key` is the members' secret; without one the environment chooses the proof."""
        options = _JoinOptions()
        options.struct_size = ctypes.sizeof(options)
        options.job, options.step, options.restart_count = job, step, restart_count
        options.name = _key(name)
        options.members_per_node = (ctypes.c_uint32 * len(members_per_node))(*members_per_node)
        options.nodes, options.node, options.local_rank = len(members_per_node), node, local_rank
        options.hosts = (ctypes.c_char_p * len(hosts))(*[_key(host) for host in hosts])
        options.host_count = len(hosts)
        if ports:
            options.ports = (ctypes.c_uint16 * len(ports))(*ports)
            options.port_count = len(ports)
        if key is not None:
            key = _value(key)
            options.key, options.key_size = key, len(key)
        facts = _value(facts)
        options.facts, options.facts_size = facts, len(facts)
        handle = ctypes.c_void_p()
        _call("muster_join", ctypes.byref(options), _milliseconds(timeout), ctypes.byref(handle))
        return cls(handle)

    def __init__(self, handle):
        self._handle = handle
        self._lock = threading.Lock()
        self.rank = _library().muster_rank(handle)
        self.size = _library().muster_size(handle)
        self._finalizer = weakref.finalize(self, _library().muster_free, handle)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.leave()
        else:
            self.close()

    def __repr__(self):
        return f"Group(rank={self.rank}, size={self.size})"

    def peer(self, rank):
        peer = _Peer(struct_size=ctypes.sizeof(_Peer))
        with self._lock:
            self._use("muster_peer_at", rank, ctypes.byref(peer))
            facts = ctypes.string_at(peer.facts, peer.facts_size)
            return Peer(peer.rank, peer.node, peer.local_rank, peer.pid,
                        peer.host.decode(errors="replace"), peer.address.decode(), facts)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT):
        value = _value(value)
        self._blocking("muster_set", timeout, _key(key), value, len(value))

    def get(self, key, timeout=DEFAULT_TIMEOUT):
        """Waits for the key, gives its bytes."""
        value = _Bytes()
        self._blocking("muster_get", timeout, _key(key), ctypes.byref(value))
        return _take(value)

    def wait(self, keys, timeout=DEFAULT_TIMEOUT):
        keys = [_key(key) for key in keys]
        self._blocking("muster_wait", timeout, (ctypes.c_char_p * len(keys))(*keys), len(keys))

    def add(self, key, delta, timeout=DEFAULT_TIMEOUT):
        """Adds to a number, 0 at first, and gives the sum."""
        total = ctypes.c_int64()
        self._blocking("muster_add", timeout, _key(key), delta, ctypes.byref(total))
        return total.value

    def barrier(self, timeout=DEFAULT_TIMEOUT):
        self._blocking("muster_barrier", timeout)

    def all_gather(self, value, timeout=DEFAULT_TIMEOUT):
        """The bytes of all members, in the order of ranks; lengths may differ."""
        value = _value(value)
        values = (_Bytes * self.size)()
        self._blocking("muster_all_gather", timeout, value, len(value), values)
        return [_take(each) for each in values]

    def broadcast(self, value, root=0, timeout=DEFAULT_TIMEOUT):
        """The root's bytes; what the others pass does not matter."""
        own = _value(value) if self.rank == root else b""
        length = ctypes.c_uint64(len(own))  # C wants one length from all: tell it first
        self._blocking("muster_broadcast", timeout, root, ctypes.byref(length), 8)
        buffer = ctypes.create_string_buffer(own, length.value)
        self._blocking("muster_broadcast", timeout, root, buffer, length.value)
        return buffer.raw

    def leave(self, timeout=DEFAULT_TIMEOUT):
        """Says goodbye and frees. The member that serves the group waits until all have left."""
        try:
            self._blocking("muster_leave", timeout)
        finally:
            self.close()

    def close(self):
        """Frees at once; leaves in haste if leave() was not called. May be called again."""
        with self._lock:
            self._finalizer()
            self._handle = None

    def _blocking(self, name, timeout, *arguments):
        with self._lock:
            self._use(name, *arguments, _milliseconds(timeout))

    def _use(self, name, *arguments):
        if self._handle is None:
            raise MusterError(INVALID_ARGUMENT, f"{name}: the group is closed")
        _call(name, self._handle, *arguments)


def library_version():
    """(major, minor) of the C library."""
    return divmod(_library().muster_version(), 256)


# --- PyTorch ------------------------------------------------------------------------------------

_torch_group = None


def torch_group(timeout=DEFAULT_JOIN_TIMEOUT):
    """The group that `muster://` uses: joined by the first call, kept for all later ones of this
    process, left when the interpreter ends."""
    global _torch_group
    if _torch_group is None:
        _torch_group = Group.join(name="torch", timeout=timeout)
        atexit.register(_leave_at_exit, os.getpid())
    return _torch_group


def _leave_at_exit(process):
    global _torch_group
    group, _torch_group = _torch_group, None
    # A forked child inherits this call, but not the group.
    if group is None or process != os.getpid():
        return
    # Others may be gone already; that is no error of ours, and no reason to wait longer.
    with contextlib.suppress(MusterError):
        group.leave(timeout=LEAVE_AT_EXIT)


def register_torch():
    """Makes init_process_group(init_method="muster://") work. Imports torch; may be called again."""
    from torch.distributed.rendezvous import register_rendezvous_handler

    with contextlib.suppress(RuntimeError):  # registered before
        register_rendezvous_handler("muster", _torch_rendezvous)


def _torch_store(address, port, group, limit):
    from torch import distributed

    # Waiting for all inside rank 0's constructor would be waiting for ever: the others do not know
    # the port yet.
    arguments = (address, port, group.size, group.rank == 0, limit)
    try:
        return distributed.TCPStore(*arguments, wait_for_workers=False)
    except RuntimeError as error:
        # Some distributions build PyTorch 2 without libuv, which its store still takes by default.
        if "libuv" not in str(error):
            raise
        return distributed.TCPStore(*arguments, wait_for_workers=False, use_libuv=False)


def _open_torch_store(group, timeout):
    """Rank 0 opens PyTorch's own store on a free port and tells the others where it is."""
    limit = datetime.timedelta(milliseconds=_milliseconds(timeout))
    if group.rank != 0:
        address, port = group.broadcast(b"", timeout=timeout).decode().split(" ", 1)
        if not port.isdigit():
            raise MusterError(UNAVAILABLE, f"rank 0 could not open the store: {port}")
        return _torch_store(address, int(port), group, limit)
    address = group.peer(0).address
    try:
        store = _torch_store(address, 0, group, limit)
    except Exception as error:
        group.broadcast(f"{address} {error or 'failed'}", timeout=timeout)
        raise
    group.broadcast(f"{address} {store.port}", timeout=timeout)
    return store


def _check_told(url, group):
    """init_process_group(rank=..., world_size=...) must agree with the group."""
    told = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(url).query))
    for name, ours in (("rank", group.rank), ("world_size", group.size)):
        if told.get(name, "-1") not in ("-1", str(ours)):
            raise MusterError(INVALID_ARGUMENT, f"init_process_group was given {name}={told[name]}, "
                              f"but it is {ours} in the group; leave it out")


def _torch_rendezvous(url, timeout=datetime.timedelta(seconds=DEFAULT_JOIN_TIMEOUT), **_):
    # A launcher (muster, torchrun) that serves a store itself has said all that is needed.
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        from torch.distributed.rendezvous import rendezvous

        yield from rendezvous("env://", timeout=timeout)
    else:
        group = torch_group(timeout)
        _check_told(url, group)
        store = _open_torch_store(group, timeout)
        yield store, group.rank, group.size
        # The address stands in the group of this process and cannot change: as with env://.
        raise RuntimeError("muster:// gives one process group; init_process_group makes another")
