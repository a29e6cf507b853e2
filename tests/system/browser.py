"""A headless Chromium for tests that look at a page: opened at a width, measured, photographed.

It speaks the browser's own protocol over a pair of pipes (--remote-debugging-pipe): no port, no other
program. Widths are set by the protocol, since a browser's window is never as narrow as a phone. Every
answer is awaited until a deadline, and the browser is killed with all its children at the end.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import time
import zlib

ANSWER_LIMIT_S = 60  # of one question; the first one includes the browser's start
END_LIMIT_S = 10
PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable")


def find_browser():
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One browser with one page. `folder` takes its profile and its log."""

    def __init__(self, program, folder, environment):
        # Numbers above the two that the browser reads, 3 and 4.
        reads, self._write = map(self._move_up, os.pipe())
        self._read, writes = map(self._move_up, os.pipe())

        def take_pipes():
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        words = [program, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update",
                 "--force-color-profile=srgb", f"--user-data-dir={os.path.join(folder, 'profile')}",
                 "about:blank"]
        with open(os.path.join(folder, "browser.log"), "wb") as log:
            self.process = subprocess.Popen(
                words, env=dict(environment, HOME=folder), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, pass_fds=(3, 4), preexec_fn=take_pipes, start_new_session=True)
        os.close(reads)
        os.close(writes)
        self._buffer = b""
        self._number = 0
        self._session = None
        self._session = self._open_page()

    @staticmethod
    def _move_up(number):
        moved = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(number)
        return moved

    def _open_page(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return session

    def show(self, path, width, height=900, dark=False):
        """Loads the file at that width in CSS pixels; returns when it is drawn."""
        self.ask("Page.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.navigate", url=f"file://{path}")
        self._await_event("Page.loadEventFired")

    def evaluate(self, expression):
        """The value of a JavaScript expression; the page's own policy does not concern it."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def photograph(self, path, whole_page=True):
        """Writes a PNG of the page and gives its bytes."""
        picture = self.ask("Page.captureScreenshot", format="png",
                           captureBeyondViewport=whole_page)["data"]
        data = base64.b64decode(picture)
        with open(path, "wb") as file:
            file.write(data)
        return data

    def ask(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = self._await(lambda said: said.get("id") == self._number, method)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self):
        """Ends the browser, and what is left of its session of processes."""
        try:
            self._session = None  # the question is for the browser, not for the page
            self.ask("Browser.close")
            self.process.wait(timeout=END_LIMIT_S)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            pass  # it is killed
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=ANSWER_LIMIT_S)
        os.close(self._read)
        os.close(self._write)

    def _await_event(self, name):
        self._await(lambda said: said.get("method") == name, name)

    def _await(self, is_wanted, what):
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while True:
            message, found, rest = self._buffer.partition(b"\0")
            if found:
                self._buffer = rest
                said = json.loads(message)
                if is_wanted(said):
                    return said
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                raise AssertionError(f"the browser did not answer {what} in {ANSWER_LIMIT_S} s")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise AssertionError(f"the browser ended before it answered {what}")
            self._buffer += data


def count_colours(png, rows=300):
    """How many different colours the first rows of a PNG have: a blank picture has one. Of what PNG
    allows only what Chromium writes: 8 bits, RGB or RGBA, not interlaced."""
    place, packed, width, size = 8, b"", 0, 0
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place:place + 8])
        body = png[place + 8:place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            if depth != 8 or colour not in (2, 6) or interlace:
                raise AssertionError(f"unexpected PNG: depth {depth}, colour type {colour}")
            size, rows = {2: 3, 6: 4}[colour], min(rows, height)
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    data = zlib.decompress(packed)
    stride, above, colours = width * size, bytearray(width * size), set()
    for row in range(rows):
        start = row * (stride + 1)
        line = _unfilter(data[start], bytearray(data[start + 1:start + 1 + stride]), above, size)
        colours.update(bytes(line[i:i + size]) for i in range(0, stride, size))
        above = line
    return len(colours)


def _unfilter(kind, line, above, size):
    for i, byte in enumerate(line):
        left = line[i - size] if i >= size else 0
        up = above[i]
        corner = above[i - size] if i >= size else 0
        nearest = min((left, up, corner), key=lambda near: abs(left + up - corner - near))
        line[i] = (byte + (0, left, up, (left + up) // 2, nearest)[kind]) & 0xFF
    return line
