# SPDX-License-Identifier: MIT
"""Clients of a server that has FILE as /big: client.py PORT FILE SECONDS SEED healthy|mild|rough

Some connections at a time, each with a few requests, pipelined or not. Every answer that arrives whole must be the right
one, and what arrives of another must be its beginning.

healthy, mild: all answers must arrive; healthy ones within PATIENCE seconds.
rough:         they may be cut anywhere.

Exit code 1 when that does not hold, or when no answer came at all.
"""
import random
import socket
import sys
import threading
import time

PORT, SECONDS, SEED, KIND = int(sys.argv[1]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
with open(sys.argv[2], "rb") as file:
    BIG = file.read()
CLIENTS = {"healthy": 4, "mild": 16, "rough": 24}[KIND]
PATIENCE = 30 if KIND == "healthy" else 60
END = time.monotonic() + SECONDS
FAULTS = []
WHOLE = [0] * CLIENTS
CUT = [0] * CLIENTS


class Closed(Exception):
    """No more will come."""


class Talk:
    """One connection."""

    def __init__(self, rng):
        self.buffer = b""
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rng = rng

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Closed("closed")
        self.buffer += piece

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        length = [int(l.split(b":")[1]) for l in lines if l.lower().startswith(b"content-length:")]
        return lines[0], length[0]

    def answer(self, path):
        """Takes one answer; a string when it is wrong."""
        status, length = self.head()
        if path == b"/big":
            if status != b"HTTP/1.1 200 OK" or length != len(BIG):
                return f"{path}: {status}, {length} bytes"
            try:
                while len(self.buffer) < length:
                    self.more()
            except (OSError, Closed):
                if self.buffer != BIG[: len(self.buffer)]:
                    return f"{path}: another beginning, of {len(self.buffer)} bytes"
                raise
            if self.buffer[:length] != BIG:
                return f"{path}: another content"
        else:
            if not status.startswith(b"HTTP/1.1 404 "):
                return f"{path}: {status}"
            while len(self.buffer) < length:
                self.more()
        self.buffer = self.buffer[length:]
        return None


def one(number, rng):
    """One connection: its requests, and what came of them."""
    talk, paths = None, []
    try:
        talk = Talk(rng)
        for _ in range(rng.randint(1, 4)):
            batch = rng.choice([1, 1, 1, 8])
            paths = [rng.choice([b"/none", b"/none", b"/none", b"/big"]) for _ in range(batch)]
            talk.socket.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths))
            for path in paths:
                wrong = talk.answer(path)
                if wrong:
                    FAULTS.append(f"{KIND}: {wrong}")
                    return
                WHOLE[number] += 1
    except (OSError, Closed) as error:
        if KIND != "rough" or isinstance(error, socket.timeout):
            FAULTS.append(f"{KIND}: no whole answer: {error!r}")
        CUT[number] += 1
    finally:
        if talk:
            talk.socket.close()


def client(number):
    rng = random.Random(SEED * 100 + number)
    while time.monotonic() < END and len(FAULTS) < 5:
        one(number, rng)


threads = [threading.Thread(target=client, args=[i]) for i in range(CLIENTS)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for text in FAULTS[:5]:
    print("FAULT:", text)
print(f"{KIND}: {sum(WHOLE)} whole answers, {sum(CUT)} connections cut")
sys.exit(bool(FAULTS) or not sum(WHOLE))
