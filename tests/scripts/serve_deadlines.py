# SPDX-License-Identifier: MIT
"""Clients that dawdle: serve_deadlines.py PORT hurry FILE | flood PID. Says what is wrong; exit code 1.

Tried, one at a time, each against the case that is named: no deadline for the next request (silent, silent_again), one
that a request does not put off (asks_now_and_then), no deadline for taking an answer (takes_nothing), bytes that were
taken long ago still counting (takes_no_more, sends_no_more), no minimum rate (takes_slowly), a rate that is not seen
while all of it is kept (takes_steadily), and reading on while an answer is to be sent (flood).
"""
import select
import socket
import sys
import threading
import time

PORT = int(sys.argv[1])
IDLE, TAKE, BODY = 4, 2, 2 / 3  # seconds, at --hurry 15
RATE = 15 * 1024  # bytes a second, likewise
LATE = 5  # seconds that a busy machine may add
FAULTS = []

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BIG = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"  # more than fits in sockets, by far
FILE = b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n"  # somewhat more


def fault(text):
    print("FAULT:", text)
    FAULTS.append(text)


class Late(Exception):
    """This machine made a client of ours wait: what the server then does says nothing."""


def pause(seconds):
    start = time.time()
    time.sleep(seconds)
    if time.time() - start > seconds + BODY / 2:
        raise Late


def connect(receive=0):
    s = socket.socket()
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(25)
    s.connect(("127.0.0.1", PORT))
    return s


def end_of(s):
    """Reads to the end: what came, and whether that was a reset."""
    data = bytearray()
    try:
        while piece := s.recv(1 << 20):
            data += piece
        return data, False
    except ConnectionResetError:
        return data, True


def reset_after(s):
    """Waits for the reset without reading. Seconds."""
    start = time.time()
    poll = select.poll()
    poll.register(s, 0)  # errors alone
    poll.poll(25000)
    return time.time() - start


def within(what, took, least, most):
    if not least - 0.05 <= took <= most + LATE:
        fault(f"{what}: after {took:.2f} s, not {least:.2f} to {most + LATE:.2f}")


def silent():
    s, start = connect(), time.time()
    data, reset = end_of(s)
    within("a silent client is left", time.time() - start, IDLE, IDLE)
    if data or reset:
        fault(f"a silent client: {data[:60]}, reset {reset}")


def silent_again():
    s = connect()
    s.sendall(GET)
    s.recv(4096)
    start = time.time()
    data, reset = end_of(s)
    within("a client without another request is left", time.time() - start, IDLE, IDLE)
    if data or reset:
        fault(f"a client without another request: {data[:60]}, reset {reset}")


def asks_now_and_then():
    s = connect()
    for _ in range(8):
        pause(IDLE / 4)
        s.sendall(GET)
        if not s.recv(4096).startswith(b"HTTP/1.1 200"):
            fault("a client that asks now and then is left")
            return


def sends_no_more():
    """Nearly all of a large body at once, then nothing."""
    s = connect()
    s.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + bytes(999999))
    start = time.time()
    data, reset = end_of(s)
    within("a body that stops is given up", time.time() - start, 0, 2 * BODY)
    if not data.startswith(b"HTTP/1.1 408"):
        fault(f"a body that stops: {data[:60]}, reset {reset}")


def sends_steadily():
    s = connect()
    s.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 600000\r\n\r\n")
    for _ in range(30):
        s.sendall(bytes(20000))
        pause(0.1)
    data, _ = end_of(s)
    if not data.startswith(b"HTTP/1.1 405"):
        fault(f"a body that comes steadily: {data[:60]}")


def takes_nothing():
    s = connect(receive=65536)
    s.sendall(BIG)
    within("an answer that nobody takes is given up", reset_after(s), TAKE, 2 * TAKE)
    _, reset = end_of(s)
    if not reset:
        fault("an answer that nobody takes ends as if it were whole")


def takes_no_more():
    s = connect(receive=65536)
    s.sendall(BIG)
    got = 0
    while got < 15000000:
        got += len(s.recv(1 << 20))
    within("an answer that is not taken to its end is given up", reset_after(s), TAKE, 2 * TAKE)


def take(s, rate, seconds):
    """Takes that many bytes a second: what came."""
    data, start = bytearray(), time.time()
    while (now := time.time() - start) < seconds:
        wanted = int(rate * now) - len(data)
        if wanted > 0:
            piece = s.recv(wanted)
            if not piece:
                break
            data += piece
        pause(0.02)
    return data


def takes_slowly():
    s = connect(receive=4096)
    s.sendall(BIG)
    start = time.time()
    try:
        take(s, RATE / 3, 25)
        fault("an answer that is taken too slowly is not given up")
    except ConnectionResetError:
        within("an answer that is taken too slowly is given up", time.time() - start, TAKE, 3 * TAKE)


def takes_steadily():
    s = connect(receive=32768)
    s.sendall(FILE + FILE.replace(b"Host", b"Connection: close\r\nHost"))
    data = take(s, RATE * 15, 5)
    data += end_of(s)[0]
    with open(sys.argv[3], "rb") as file:
        want = file.read()
    first = data.find(b"\r\n\r\n") + 4
    if len(data) < 2 * len(want) or data[first : first + len(want)] != want or not data.endswith(want):
        fault(f"an answer that is taken steadily: {len(data)} bytes, not both files")


def memory(pid):
    """What the process has in memory, in bytes."""
    with open(f"/proc/{pid}/status") as file:
        return [int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS")][0]


def flood(pid):
    """Pipelines without reading until nothing more goes; then reads, and gets an answer to all of it."""
    most, whole = 64 << 20, GET * 1000
    s = connect()
    before, sent = memory(pid), 0
    s.settimeout(2)
    try:
        while sent < most:
            at = sent % len(whole)
            sent += s.send(whole[at:])
    except socket.timeout:
        pass
    grown = memory(pid) - before
    if sent >= most:
        fault(f"the server reads on while nobody takes its answers: {sent} bytes")
    if grown > 16 << 20:
        fault(f"a client that does not read costs {grown} bytes")
    s.settimeout(25)
    rest = whole[sent % len(whole) :] + GET.replace(b"Host", b"Connection: close\r\nHost")
    asked = (sent + len(rest)) // len(GET)
    threading.Thread(target=lambda: s.sendall(rest)).start()
    answers = end_of(s)[0].count(b"HTTP/1.1 200")
    if answers != asked:
        fault(f"{answers} answers to {asked} requests, once they are read")


def tried(case):
    try:
        case()
    except Late:
        print(f"SKIP: {case.__name__}: a pause took too long")
    except OSError as error:
        fault(f"{case.__name__}: {error}")


def main():
    if sys.argv[2] == "flood":
        flood(int(sys.argv[3]))
    else:
        cases = [silent, silent_again, asks_now_and_then, sends_no_more, sends_steadily, takes_nothing, takes_no_more]
        cases += [takes_slowly, takes_steadily]
        threads = [threading.Thread(target=tried, args=[case]) for case in cases]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    return 1 if FAULTS else 0


sys.exit(main())
