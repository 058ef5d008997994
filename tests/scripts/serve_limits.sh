#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# More connections than there may be: by the server's limits, and by the system's limit on open files.
source "$(dirname "$0")/serve.bash"
need python3

cat > "$work/crowd.py" << 'PY'
import socket, sys, time
port, count, want = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
def served(s):
    try:
        s.settimeout(30)
        s.sendall(REQUEST)
        return s.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
first = sum(served(s) for s in crowd)
if want and first != want:
    sys.exit(f"{first} of {count} were served, not {want}")
if not 0 < first < count:
    sys.exit(f"{first} of {count} were served")
# those that were let in stay in
again = sum(served(s) for s in crowd)
if again < first - (0 if want else 2):
    sys.exit(f"only {again} of {first} were served twice")
for s in crowd:
    s.close()
# and when they have gone, there is room
end = time.time() + 60
while time.time() < end:
    s = socket.create_connection(("127.0.0.1", port))
    if served(s):
        sys.exit(0)
    time.sleep(0.1)
sys.exit("nobody is served any more")
PY

start --connections 20
python3 "$work/crowd.py" "$port" 40 20 || fault "--connections 20"
python3 "$work/crowd.py" "$port" 40 20 || fault "--connections 20, once more"
stop

start --connections 100 --connections-each 7 --threads 2
python3 "$work/crowd.py" "$port" 30 7 || fault "--connections-each 7"
stop

# no descriptors left: 40 in all, the server's own included
max_files=40 start --connections 1000 --threads 1
python3 "$work/crowd.py" "$port" 50 0 || fault "out of descriptors"
python3 "$work/crowd.py" "$port" 50 0 || fault "out of descriptors, once more"
[ "$(wc -l < "$work/err")" -lt 50 ] || fault "it complains $(wc -l < "$work/err") times"
cat "$work/err"
stop
finish
