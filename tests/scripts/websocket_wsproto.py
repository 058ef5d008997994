# SPDX-License-Identifier: MIT
"""The other end of script.websocket_peers, by the library wsproto, which speaks the protocol and leaves the socket to others.

    websocket_wsproto.py client PORT   talks to our server, a byte at a time as well; exit code 1 when something is wrong
    websocket_wsproto.py server        sends back what it gets, and says its port
"""
import socket
import sys

from wsproto import ConnectionType, WSConnection
from wsproto.events import (AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, RejectConnection, Request, TextMessage)


def check(what, holds):
    if not holds:
        print(f"FAULT: {what}")
        sys.exit(1)


class Peer:
    def __init__(self, sock, role, pieces=65536):
        self.sock, self.ws, self.pieces = sock, WSConnection(role), pieces

    def send(self, *events):
        data = b"".join(self.ws.send(e) for e in events)
        for at in range(0, len(data), self.pieces):
            self.sock.sendall(data[at : at + self.pieces])

    def events(self):
        while True:
            yield from self.ws.events()
            data = self.sock.recv(65536)
            self.ws.receive_data(data or None)
            if not data:
                yield from self.ws.events()
                return


def whole(events, kind):
    """The next message, of whatever fragments."""
    said = "" if kind is TextMessage else b""
    for e in events:
        check(f"{e} where a message should be", isinstance(e, kind))
        said += e.data
        if e.message_finished:
            return said


def connect(port, pieces):
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer = Peer(sock, ConnectionType.CLIENT, pieces)
    peer.send(Request(host=f"127.0.0.1:{port}", target="/path?x=y", subprotocols=["other", "chat"]))
    return peer, peer.events()


def client(port, pieces):
    peer, events = connect(port, pieces)
    answer = next(events)
    check("the handshake", isinstance(answer, AcceptConnection) and answer.subprotocol == "chat")
    for said in ("", "hello", "\u20ac" * 40, "x" * 125, "x" * 126, "x" * (70000 if pieces > 1 else 300)):
        peer.send(TextMessage(data=said))
        check(f"echo of {len(said)}", whole(events, TextMessage) == said)
    peer.send(BytesMessage(data=b"\0\1", message_finished=False), Ping(payload=b"there?"),
              BytesMessage(data=b"\2", message_finished=True))
    pong = next(events)
    check("a ping within a message", isinstance(pong, Pong) and pong.payload == b"there?")
    check("fragments", whole(events, BytesMessage) == b"\0\1\2")
    peer.send(CloseConnection(code=4321, reason="that was it"))
    check("our close", next(e.code for e in events if isinstance(e, CloseConnection)) == 4321)


def server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"port {listener.getsockname()[1]}", flush=True)
        peer = Peer(listener.accept()[0], ConnectionType.SERVER)
    for e in peer.events():
        if isinstance(e, Request):
            peer.send(AcceptConnection(subprotocol="chat" if "chat" in e.subprotocols else None))
        elif isinstance(e, (TextMessage, BytesMessage)):
            peer.send(type(e)(data=e.data, message_finished=e.message_finished))
        elif isinstance(e, Ping):
            peer.send(e.response())
        elif isinstance(e, CloseConnection):
            print(f"closed: {e.code} {e.reason}", flush=True)
            peer.send(e.response())
            return
        elif isinstance(e, RejectConnection):
            return


if sys.argv[1] == "client":
    client(int(sys.argv[2]), 65536)
    client(int(sys.argv[2]), 1)
else:
    server()
