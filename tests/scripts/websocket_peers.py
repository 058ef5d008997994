# SPDX-License-Identifier: MIT
"""The other end of script.websocket_peers, by the library websockets.

    websocket_peers.py client URL [CA]      talks to our server; exit code 1 when something is not as it should be
    websocket_peers.py server [CHAIN KEY]   sends back what it gets, and says its port
"""
import asyncio
import ssl
import sys

import websockets


def check(what, holds):
    if not holds:
        print(f"FAULT: {what}")
        sys.exit(1)


async def refused(what, url, statuses, **more):
    try:
        async with websockets.connect(url, **more):
            check(what, False)
    except websockets.InvalidStatusCode as e:
        check(what, e.status_code in statuses)


async def client(url, context):
    more = {"ssl": context, "server_hostname": "example.org"} if context else {}
    async with websockets.connect(url, subprotocols=["other", "chat"], max_size=None, **more) as ws:
        check("the protocol", ws.subprotocol == "chat")
        for message in ("", "hello", "\u20ac" * 50000, b"", b"\x00\xff" * 3, b"x" * 125, b"x" * 126, b"x" * 65536, b"x" * 900000):
            await ws.send(message)
            check(f"echo of {len(message)}", await ws.recv() == message)
        await ws.send(["in ", "three ", "fragments"])
        check("fragments", await ws.recv() == "in three fragments")
        await asyncio.wait_for(await ws.ping(b"are you there"), 50)
        for n in range(200):
            await ws.send(str(n))
        check("many at once", [await ws.recv() for _ in range(200)] == [str(n) for n in range(200)])
        await ws.close(4321, "that was it")
        check("our close", ws.close_code == 4321)
    async with websockets.connect(url, max_size=None, **more) as ws:
        check("no protocol", ws.subprotocol is None)
        try:
            await ws.send(b"x" * ((1 << 20) + 1))
            await ws.recv()
            check("a message over the limit", False)
        except websockets.ConnectionClosed:
            check("the code for too much", ws.close_code == 1009)
    async with websockets.connect(url, extra_headers={"Upgrade": "h2c"}, **more):  # offered beside it
        pass
    async with websockets.connect(url, origin="http://" + url.split("/")[2], **more):
        pass
    await refused("a page of another site", url, (403,), origin="http://example.net", **more)
    await refused("an Origin that nobody has room for", url, (400, 403), origin="http://" + "x" * 2000, **more)


async def server(context):
    async def echo(ws):
        try:
            async for message in ws:
                await ws.send(message)
        except websockets.ConnectionClosed:  # by another code than 1000
            pass
        print(f"closed: {ws.close_code} {ws.close_reason} {ws.subprotocol}", flush=True)

    async with websockets.serve(echo, "127.0.0.1", 0, ssl=context, subprotocols=["chat"], max_size=None) as s:
        print(f"port {s.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


def main():
    context = None
    if sys.argv[1] == "client":
        if len(sys.argv) > 3:
            context = ssl.create_default_context(cafile=sys.argv[3])
        asyncio.run(asyncio.wait_for(client(sys.argv[2], context), 60))
    else:
        if len(sys.argv) > 3:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
        asyncio.run(server(context))


main()
