#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Starting and stopping: signals with and without requests in flight, ports in use, wrong command lines.
source "$(dirname "$0")/serve.bash"
need python3

# milliseconds since some time
now() {
	date +%s%3N
}

# stops the server and says how long that took
stop_ms() {
	local from
	from=$(now)
	stop
	echo $(($(now) - from)) > "$work/ms"
}

start
stop_ms
[ "$(cat "$work/ms")" -lt 4500 ] || fault "an idle server takes $(cat "$work/ms") ms to stop"

start --threads 2
kill -INT "$server"
wait "$server"
same "exit status after SIGINT" 0 $?
server=

# idle connections and half a head do not hold it up for longer than a request may take
start
python3 - "$port" << 'PY' &
import socket, sys, time
c = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(50)]
c[0].sendall(b"GET / HTTP/1.1\r\nHos")
time.sleep(20)
PY
client=$!
sleep 0.5
stop_ms
[ "$(cat "$work/ms")" -lt 7500 ] || fault "half a head holds the server up for $(cat "$work/ms") ms"
kill "$client" 2> /dev/null

# an answer under way is finished
head -c 8000000 /dev/urandom > "$work/big"
start --root "$work"
python3 - "$port" "$work/big" "$server" << 'PY' || fault "a download was cut short by SIGTERM"
import os, signal, socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
s.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
got = s.recv(1000)
os.kill(int(sys.argv[3]), signal.SIGTERM)
time.sleep(0.5)
while piece := s.recv(1 << 20):
    got += piece
sys.exit(got.split(b"\r\n\r\n", 1)[1] != open(sys.argv[2], "rb").read())
PY
ended 0

# a client that does not take its answer holds it up for some seconds only
start --root "$work"
python3 - "$port" << 'PY' &
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
time.sleep(30)
PY
client=$!
sleep 0.5
stop_ms
[ "$(cat "$work/ms")" -lt 7500 ] || fault "a client that does not read holds the server up for $(cat "$work/ms") ms"
kill "$client" 2> /dev/null

# a second signal does not wait for it
start --root "$work"
python3 - "$port" "$work/heard" << 'PY' &
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
s.recv(1000)
open(sys.argv[2], "w").close()
time.sleep(30)
PY
client=$!
await [ -e "$work/heard" ]
kill "$server"
# deaf: it has heard the first one, and listens no more
deaf() {
	! (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null
}
await deaf
kill -0 "$server" 2> /dev/null || fault "the first signal ended it with an answer under way"
from=$(now)
kill "$server"
wait "$server"
same "exit status after a second SIGTERM" 143 $?
[ $(($(now) - from)) -lt 4500 ] || fault "a second SIGTERM takes $(($(now) - from)) ms"
server=
kill "$client" 2> /dev/null

# under load: every answer that has begun is whole
start --threads 2
python3 - "$port" << 'PY' &
import socket, sys, threading
torn = []
def client():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
    try:
        while True:
            s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            got = s.recv(4096)
            if not got:
                return
            if not got.endswith(b"Hello, world!"):
                torn.append(got)
    except OSError:
        pass
threads = [threading.Thread(target=client) for _ in range(20)]
for t in threads:
    t.start()
for t in threads:
    t.join()
sys.exit(bool(torn))
PY
client=$!
sleep 1
stop_ms
[ "$(cat "$work/ms")" -lt 7500 ] || fault "under load it takes $(cat "$work/ms") ms to stop"
wait "$client" || fault "answers were torn when the server stopped"

# the port is somebody's: an error, and not a share of the connections
start --threads 2
"$magpie" serve --listen "127.0.0.1:$port" --threads 2 > "$work/out2" 2> "$work/err2"
same "exit status on a port in use" 1 $?
grep -q 'cannot listen' "$work/err2" || fault "a port in use is said like this: $(cat "$work/err2")"
[ -s "$work/out2" ] && fault "a port in use, and it says $(cat "$work/out2")"
stop

"$magpie" serve --root /nonexistent > "$work/out2" 2> "$work/err2"
same "exit status without the root" 1 $?
grep -q '/nonexistent' "$work/err2" || fault "a missing root is said like this: $(cat "$work/err2")"
for wrong in '--listen nonsense' '--listen localhost:80' '--threads 0' '--threads x' '--connections 0' surplus --unknown; do
	# shellcheck disable=SC2086 # two words
	timeout 10 "$magpie" serve $wrong > /dev/null 2> "$work/err2"
	same "exit status of serve $wrong" 2 $?
	[ -s "$work/err2" ] || fault "serve $wrong says nothing"
done
finish
