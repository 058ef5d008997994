# SPDX-License-Identifier: MIT
"""Holds many connections to a server, each idle after one answered request, and says what they cost it.

    python3 idle.py PORT PID COUNT MAX SECONDS [TLS]

PID is the server's process, on this machine. They come from several loopback addresses, EACH from one at most. Held for so
many seconds, none of them silent for longer than SILENT; at the end each tenth is asked once more. Exit status 1: a
connection cost more than MAX bytes of the server's own memory (0: any is fine), or was not served.
"""
import collections
import resource
import socket
import ssl
import struct
import sys
import time

EACH = 2000  # what `magpie serve` allows one address
SILENT = 20  # seconds, of the 60 that it gives
IP_BIND_ADDRESS_NO_PORT = 24  # which Python's socket has not had for long
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

port, pid, count, most, seconds = (int(arg) for arg in sys.argv[1:6])
tls = None
if len(sys.argv) > 6:
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE


def memory():
    """Bytes of the server's that no file is behind, exactly: the kernel's own are not among them."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
    sys.exit("the kernel does not tell")


def ask(client):
    client.sendall(REQUEST)
    got = client.recv(4096)
    if not got.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"of {len(held)} connections one was answered with {got[:40]!r}")


def connect(i):
    client = socket.socket()
    client.settimeout(60)
    # its end leaves nothing behind: ten thousand ports would be out of use for a minute
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)  # any that is free for this server
    client.bind((f"127.0.0.{2 + i // EACH}", 0))
    client.connect(("127.0.0.1", port))
    if tls:
        client = tls.wrap_socket(client)
    ask(client)
    return client


def refresh(held):
    """Those that were silent for long speak again."""
    while held and time.monotonic() - held[0][0] > SILENT:
        client = held.popleft()[1]
        ask(client)
        held.append((time.monotonic(), client))


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = []
# what the server pays once is not what a connection costs
for client in [connect(i) for i in range(100)]:
    client.close()
before = memory()
held = collections.deque()
for i in range(count):
    held.append((time.monotonic(), connect(i)))
    if i % 1000 == 0:
        refresh(held)
cost = (memory() - before) / count
end = time.monotonic() + seconds
while time.monotonic() < end:
    time.sleep(min(1, max(0, end - time.monotonic())))
    refresh(held)
for _, client in list(held)[::10]:
    ask(client)
later = (memory() - before) / count
print(f"{count} connections held, {cost:.0f} bytes each, {later:.0f} at the end")
sys.exit(most and max(cost, later) > most and f"an idle connection costs {max(cost, later):.0f} bytes, not {most}")
