# SPDX-License-Identifier: MIT
"""One server, SIGTERM under load: drain.py PORT PID FILE SEED, where the server's root has FILE as /big.

A request counts as accepted when the client had sent all of it before the signal: send(2) of its last byte had returned
before kill(2) was called. What is checked, for connections that are kept, pipelined, new for each request, or slow:

  - each accepted request gets its whole answer, and the right one;
  - whatever was sent later gets a whole answer or none: the connection is refused, closed or reset. No answer is cut.

Exit code 1 when that does not hold. The last line: how many were sent before, and how many later got no answer.
"""
import os
import random
import signal
import socket
import sys
import threading
import time

PORT, PID, SEED = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[4])
with open(sys.argv[3], "rb") as file:
    BIG = file.read()
FAULTS = []
PATIENCE = 20  # seconds; the server gives those under way 5


class Client(threading.Thread):
    """Sends requests in turns until there is no server; notes when each was sent, and how many were answered."""

    def __init__(self, kind, number):
        super().__init__(name=f"{kind} {number}")
        self.kind = kind
        self.random = random.Random(SEED * 1000 + number)
        self.sent = []  # a connection's: (when, its path)
        self.before = self.unanswered = 0
        self.buffer = b""

    def run(self):
        while True:
            try:
                s = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.kind == "slow":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            self.sent, self.buffer, why = [], b"", None
            try:
                self.talk(s)
            except OSError as error:
                why = error
            self.settle(why)
            s.close()
            if why or STOPPED.is_set():
                return

    def talk(self, s):
        for _ in range(1 if self.kind == "new" else 1000000):
            paths = [self.path() for _ in range(self.random.randint(1, 300) if self.kind == "pipelined" else 1)]
            # none of them counts as sent unless all are
            s.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths))
            when = time.monotonic_ns()
            self.sent += [(when, path) for path in paths]
            while self.sent:
                self.answer(s)

    def path(self):
        if self.kind == "slow" or (self.kind == "kept" and self.random.randrange(50) == 0):
            return b"/big"
        return b"/none"

    def answer(self, s):
        """Takes the answer to the oldest request."""
        while b"\r\n\r\n" not in self.buffer:
            self.more(s)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        length = next(int(l.split(b":")[1]) for l in lines if l.lower().startswith(b"content-length:"))
        while len(self.buffer) < length:
            self.more(s)
            if self.kind == "slow":
                time.sleep(0.005)
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        when, path = self.sent.pop(0)
        if path == b"/big" and (b" 200 " not in lines[0] or body != BIG):
            FAULTS.append(f"{self.name}: a wrong answer: {lines[0]}")
        if path != b"/big" and b" 404 " not in lines[0]:
            FAULTS.append(f"{self.name}: a wrong answer: {lines[0]}")
        self.before += when < KILLED[0]

    def more(self, s):
        piece = s.recv(65536)
        if not piece:
            raise ConnectionError("closed")
        self.buffer += piece

    def settle(self, why):
        """The connection is over: what was not answered?"""
        if self.buffer:
            FAULTS.append(f"{self.name}: an answer is cut after {len(self.buffer)} bytes: {why}")
        for when, path in self.sent:
            if when < KILLED[0]:
                FAULTS.append(f"{self.name}: {path.decode()} sent {(KILLED[0] - when) / 1e6:.3f} ms before the signal, "
                              f"one of {len(self.sent)}, has no answer: {why}")
            else:
                self.unanswered += 1


KILLED = [1 << 62]  # when, in ns
STOPPED = threading.Event()


def main():
    kinds = ["kept"] * 12 + ["pipelined"] * 6 + ["new"] * 8 + ["slow"] * 2
    clients = [Client(kind, i) for i, kind in enumerate(kinds)]
    for c in clients:
        c.start()
    time.sleep(0.1 + random.Random(SEED).random() * 0.4)
    KILLED[0] = time.monotonic_ns()
    os.kill(PID, signal.SIGTERM)
    STOPPED.set()
    for c in clients:
        c.join()
    for text in FAULTS[:10]:
        print(text)
    if not any(c.before for c in clients):
        print("nothing was sent before the signal")
        return 1
    print(sum(c.before for c in clients), "sent before the signal,", sum(c.unanswered for c in clients), "later unanswered")
    return 1 if FAULTS else 0


sys.exit(main())
