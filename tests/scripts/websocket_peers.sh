#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# WebSockets with Python's websockets and wsproto at the other end: both roles, without and with TLS.
source "$(dirname "$0")/peers.bash"
peer=$1/websocket_peer
other=$(dirname "$0")/websocket_peers.py
wsproto=$(dirname "$0")/websocket_wsproto.py
[ -x "$peer" ] || skip "the module websocket or tls is off"
need openssl timeout
# the system's own, which has Debian's packages
python=/usr/bin/python3
"$python" -c 'import websockets' 2> /dev/null || skip "no websockets for $python (Debian: python3-websockets)"
"$python" -c 'import wsproto' 2> /dev/null || skip "no wsproto for $python (Debian: python3-wsproto)"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" \
	-subj "/CN=magpie test" -addext "subjectAltName=DNS:example.org" -days 3 2> /dev/null ||
	skip "openssl cannot make certificates"

start "$work/served" "$peer" serve
timeout 100 "$python" "$other" client "ws://127.0.0.1:$port/path?x=y" || fault "their client: $(cat "$work/served")"
said "$work/served" "open: /path?x=y chat"
said "$work/served" "gone: well 4321 that was it"
said "$work/served" "gone: EMSGSIZE 1009"
over
start "$work/served" "$peer" serve "$work/cert.pem" "$work/key.pem"
timeout 100 "$python" "$other" client "wss://127.0.0.1:$port/" "$work/cert.pem" || fault "their client with TLS: $(cat "$work/served")"
said "$work/served" "gone: well 4321 that was it"
over

# the same where an HTTP server has the connection first
if [ -x "$1/http_server_peer" ]; then
	start "$work/served" "$1/http_server_peer"
	timeout 100 "$python" "$other" client "ws://127.0.0.1:$port/path?x=y" || fault "their client of HTTP: $(cat "$work/served")"
	said "$work/served" "open: /path?x=y chat bare"
	said "$work/served" "gone: well 4321 that was it"
	said "$work/served" "gone: EMSGSIZE 1009"
	over
	start "$work/served" "$1/http_server_peer" "$work/cert.pem" "$work/key.pem"
	timeout 100 "$python" "$other" client "wss://127.0.0.1:$port/path" "$work/cert.pem" ||
		fault "their client of HTTP with TLS: $(cat "$work/served")"
	said "$work/served" "open: /path chat TLS"
	said "$work/served" "gone: well 4321 that was it"
	over
fi

start "$work/served" "$python" "$other" server
timeout 60 "$peer" connect "$port" example.org > "$work/client" 2>&1 || fault "our client: $(cat "$work/client")"
said "$work/served" "closed: 3001 enough chat"
said "$work/client" "gone: well 3001 enough"
over

# frames at each byte, pings within messages
start "$work/served" "$peer" serve
timeout 60 "$python" "$wsproto" client "$port" || fault "wsproto's client: $(cat "$work/served")"
said "$work/served" "gone: well 4321 that was it"
over
start "$work/served" "$python" "$wsproto" server
timeout 60 "$peer" connect "$port" example.org > "$work/client" 2>&1 || fault "our client with wsproto: $(cat "$work/client")"
said "$work/served" "closed: 3001 enough"
said "$work/client" "gone: well 3001 enough"
over

start "$work/served" "$python" "$other" server "$work/cert.pem" "$work/key.pem"
timeout 60 "$peer" connect "$port" example.org "$work/cert.pem" > "$work/client" 2>&1 ||
	fault "our client with TLS: $(cat "$work/client")"
said "$work/served" "closed: 3001 enough chat"
over
finish
