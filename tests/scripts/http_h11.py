# SPDX-License-Identifier: MIT
"""Gives the requests of a conformance file to python3-h11, and compares which requests it sees and whether it refuses the
bytes: http_h11.py FILE [--list]. Where it says something else the file must have a reason, and only there. Exit code 1 if not.
"""
import re
import sys

import h11


def unescape(text):
    return re.sub(rb"\\(x[0-9a-f]{2}|.)", lambda m: {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(m.group(1))
                  or bytes([int(m.group(1)[1:], 16)]), text.encode("latin-1"))


def answer(conn):
    conn.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
    conn.send(h11.EndOfMessage())


def seen(data):
    """What h11 makes of a connection's bytes: "GET /a" for each request that is complete, "!" for an error."""
    conn = h11.Connection(h11.SERVER)
    story, request = [], None
    try:
        conn.receive_data(data)
        while True:
            event = conn.next_event()
            if isinstance(event, h11.Request):
                request = f"{event.method.decode()} {event.target.decode('latin-1')}"
            elif isinstance(event, h11.EndOfMessage):
                story.append(request)
                answer(conn)
                if conn.our_state is h11.MUST_CLOSE or conn.their_state is not h11.DONE:
                    return story
                conn.start_next_cycle()
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return story
    except h11.RemoteProtocolError:
        return story + ["!"]


def ours(story):
    return ["!" if word.startswith("!") else word
            for word in re.findall(r"!\d+|\S+ \S+(?= 1\.\d @)", story)]


def main():
    faults = chapter = 0
    for line in open(sys.argv[1], encoding="latin-1", newline="\n"):
        line = line.rstrip("\n")
        if line.startswith("=="):
            chapter = line[3:]
        if line.startswith(("=", "#")) or not line:
            continue
        fields = line.split("|")
        name, data, story = fields[0].strip(), fields[1][1:-1], fields[2].strip()
        reason = fields[3].strip() if len(fields) > 3 else ""
        theirs = seen(unescape(data))
        if (theirs == ours(story)) == (not reason):
            continue
        faults += 1
        print(f"FAULT: {chapter}: {name}: h11 says {theirs}, the file {ours(story)}" + (f", with a reason: {reason}" if reason else ""))
    return faults > 0


sys.exit(main())
