# SPDX-License-Identifier: MIT
"""Talks to a server at 127.0.0.1 over bare sockets: serve_raw.py PORT hello | files BIG. Says what is wrong; exit code 1."""
import select
import socket
import struct
import sys
import threading
import time

PORT = int(sys.argv[1])
FAULTS = []


def fault(text):
    print("FAULT:", text)
    FAULTS.append(text)


def connect():
    s = socket.create_connection(("127.0.0.1", PORT), timeout=25)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    data = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece
    except ConnectionResetError:
        return data + b"<reset>"
    except socket.timeout:
        return data + b"<timeout>"


def answers(data, head=False):
    """The status codes of the answers in data, and what is left over."""
    codes, at = [], 0
    while (end := data.find(b"\r\n\r\n", at)) >= 0:
        lines = data[at:end].split(b"\r\n")
        codes.append(int(lines[0].split()[1]))
        length = [int(l.split(b":")[1]) for l in lines if l.lower().startswith(b"content-length:")]
        at = end + 4 + (length[0] if length and not head else 0)
    return codes, data[at:]


def ask(what, request, want, head=False):
    s = connect()
    s.sendall(request)
    codes, rest = answers(read_all(s), head)
    if codes != want or rest:
        fault(f"{what}: wanted {want}, got {codes}, rest {rest[:60]}")
    s.close()


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def broken_requests():
    line = b"GET / HTTP/1.1\r\n"
    ask("garbage", b"\x00\xff\x13garbage\r\n\r\n", [400])
    ask("TLS", bytes.fromhex("16030100a5010000a103") + bytes(200), [400])
    ask("no host", line + b"\r\n", [400])
    ask("two hosts", line + b"Host: a\r\nHost: b\r\n\r\n", [400])
    ask("bare LF", b"GET / HTTP/1.1\nHost: a\n\n", [400])
    ask("obs-fold", line + b"Host: a\r\nX: 1\r\n 2\r\n\r\n", [400])
    ask("blank before the colon", line + b"Host : a\r\n\r\n", [400])
    ask("length and chunked", line + b"Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", [400])
    ask("two lengths", line + b"Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", [400])
    ask("version", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", [505])
    ask("coding", line + b"Host: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", [501])
    ask("body too long", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", [413])
    ask("target too long", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", [414])
    ask("header too long", line + b"Host: a\r\nX: " + b"x" * 17000 + b"\r\n\r\n", [431])
    ask("too many fields", line + b"Host: a\r\n" + b"X: 1\r\n" * 101 + b"\r\n", [431])
    ask("good, broken, good", GET + b"GET\r\n\r\n" + GET, [200, 400])


def good_requests():
    ask("close", LAST, [200])
    ask("1.0", b"GET / HTTP/1.0\r\n\r\n", [200])
    ask("HEAD", LAST.replace(b"GET", b"HEAD"), [200], head=True)
    ask("POST with a body, then GET", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde" + LAST, [405, 200])
    ask("chunked, then GET",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + LAST, [405, 200])
    ask("a body of 1 MiB", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + bytes(1048576) + LAST,
        [405, 200])
    ask("after close nothing counts", LAST + GET, [200])


def split_requests():
    s = connect()
    for byte in GET + b"GET /" + b"x" * 60 + b" HTTP/1.1\r\nHost: a\r\n\r\n" + LAST:
        s.sendall(bytes([byte]))
    codes, rest = answers(read_all(s))
    if len(codes) != 3 or rest:
        fault(f"byte by byte: {codes}, {rest[:60]}")
    # a target longer than the input buffer, in pieces
    s = connect()
    request = b"GET /?" + b"q" * 8000 + b" HTTP/1.1\r\nHost: a\r\n\r\n" + LAST
    for at in range(0, len(request), 700):
        s.sendall(request[at : at + 700])
        time.sleep(0.002)
    codes, rest = answers(read_all(s))
    if codes != [200, 200] or rest:
        fault(f"a long target in pieces: {codes}, {rest[:60]}")


def pipelined(n):
    s = connect()
    threading.Thread(target=lambda: s.sendall(GET * n + LAST)).start()
    codes, rest = answers(read_all(s))
    if codes != [200] * (n + 1) or rest:
        fault(f"{n} pipelined: {len(codes)} answers, rest {rest[:60]}")


def rude_clients():
    for i in range(200):
        s = connect()
        s.sendall([b"GET / HT", GET * 50, b"", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nab"][i % 4])
        if i % 3 == 0:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    ask("after rude clients", LAST, [200])


def sends_on(what, first, piece):
    """A client that sends without an end, piece by piece, gets 408 after 10 s, and is not cut off while it hears that."""
    s = connect()
    start = time.time()
    s.sendall(first)
    while not select.select([s], [], [], 0.5)[0] and time.time() - start < 24:
        s.sendall(piece)
    took = time.time() - start
    codes, rest = answers(read_all(s))
    if not 9 <= took < 20 or codes != [408] or rest:
        fault(f"{what}: {codes}, rest {rest[:60]} after {took:.1f} s")
    try:
        for _ in range(10):
            s.sendall(piece)
            time.sleep(0.1)
    except OSError as error:
        fault(f"{what}: {error} right after the answer")
    s.close()


def slow_head():
    """However busily the bytes of a head come."""
    sends_on("a slow head", b"GET / HTTP/1.1\r\n", b"X: 1\r\n")


def silent_head():
    s = connect()
    start = time.time()
    s.sendall(b"GET / HTTP/1.1\r\nHos")
    codes, _ = answers(read_all(s))
    took = time.time() - start
    if not 9 <= took < 20 or codes != [408]:
        fault(f"a silent head: {codes} after {took:.1f} s")


def slow_body():
    """Bytes that come, but slower than 1 KiB/s."""
    sends_on("a slow body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", b"x")


def live_through_stalls(seconds):
    """Others are served while some stall."""
    end = time.time() + seconds
    while time.time() < end:
        ask("while others stall", LAST, [200])
        time.sleep(0.05)


def big_files(path):
    with open(path, "rb") as file:
        data = file.read()
    # gathered small ones before and after a large one, in one go
    s = connect()
    big = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
    s.sendall(GET + big + GET + big + LAST)
    got = read_all(s)
    if got.count(data) != 2 or got.count(b"HTTP/1.1 200") != 5:
        fault(f"pipelined files: {got.count(data)} of 2, {got.count(b'HTTP/1.1 200')} of 5")
    # a client that does not read, then does
    s = connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    s.sendall(big * 40 + LAST)
    time.sleep(1)
    got = read_all(s)
    if got.count(data) != 40:
        fault(f"a client that reads late got {got.count(data)} of 40 files")
    ask("folder", b"GET /../ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [400])
    ask("asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [204])
    ask("a name too long", b"GET /" + b"a" * 7000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [414])


def tried(case):
    try:
        case()
    except OSError as error:
        fault(f"{case.__name__}: {error}")


def main():
    good_requests()
    broken_requests()
    split_requests()
    for n in (1, 16, 500, 20000):
        pipelined(n)
    rude_clients()
    if sys.argv[2] == "files":
        big_files(sys.argv[3])
    else:
        slow = [threading.Thread(target=tried, args=[f]) for f in (slow_head, silent_head, slow_body)]
        for t in slow:
            t.start()
        live_through_stalls(5)
        for t in slow:
            t.join()
    return 1 if FAULTS else 0


sys.exit(main())
