#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server for the tests of `magpie load`: what it does with a request is the first word of its path.

    load_peer.py        prints its port, then the port of a listener that takes a single connection and never answers
"""
import socket
import struct
import sys
import threading
import time

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
stalled = threading.Event()
stall_lock = threading.Lock()

ANSWERS = {
    "ok": HELLO,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HELLO,
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "head": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    "missing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "malformed": b"220 mail.example ESMTP\r\n",
    "more": HELLO + b"HTTP/1.1",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n",
    "head-large": b"HTTP/1.1 200 OK\r\n" + b"X-Field: 0123456789\r\n" * 10000,
}
# the connection ends after these
ENDS = {
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "until-end": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "nothing": b"",
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "short-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "refuse": b"HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\n\r\n",  # with the body unread, so with a reset
    "once": HELLO,  # without saying so
    "reset": b"",
}


def request(conn, kept):
    """The next request's path and body length; None at the end of the connection."""
    while b"\r\n\r\n" not in kept:
        more = conn.recv(65536)
        if not more:
            return None
        kept += more
    head, rest = bytes(kept).split(b"\r\n\r\n", 1)
    if b" /refuse " in head:
        return head, b""
    length = 0
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(b"content-length:"):
            length = int(line[15:])
    while len(rest) < length:
        rest += conn.recv(65536)
    kept[:] = rest[length:]
    return head, rest[:length]


def serve(conn):
    kept = bytearray()
    with conn:
        while True:
            got = request(conn, kept)
            if got is None:
                return
            head, body = got
            word = head.split(b" ")[1].decode().strip("/").split("?")[0]
            if word == "silent":
                time.sleep(3)
            elif word == "slow":
                time.sleep(0.05)
                conn.sendall(HELLO)
            elif word == "stall":
                # one answer takes a second, all others no time
                with stall_lock:
                    first = not stalled.is_set()
                    stalled.set()
                if first:
                    time.sleep(1)
                conn.sendall(HELLO)
            elif word == "echo":
                text = head + b"\n" + body
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
                print("echo", text.decode().replace("\r\n", "|"), file=sys.stderr, flush=True)
            elif word in ENDS:
                conn.sendall(ENDS[word])
                if word == "reset":
                    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            else:
                conn.sendall(ANSWERS[word])


def guarded(conn):
    try:
        serve(conn)
    except OSError:
        pass


listener = socket.create_server(("127.0.0.1", 0), backlog=200)
full = socket.socket()
full.bind(("127.0.0.1", 0))
full.listen(0)
print(listener.getsockname()[1], full.getsockname()[1], flush=True)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=guarded, args=(accepted,), daemon=True).start()
