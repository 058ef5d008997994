#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# magpie serve speaks HTTP/2 with curl, nghttp and h2load: by prior knowledge and by ALPN, with bodies both ways, and goes when it
# is told to with all answered. Where it was built without HTTP/2 it says so by not offering it.
source "$(dirname "$0")/serve.bash"
need curl nghttp h2load cmp timeout python3

curl -V | grep -q HTTP2 || skip "curl without HTTP/2"
mkdir "$work/root"
head -c 3000000 /dev/urandom > "$work/root/large"
seq 100000 > "$work/root/text.txt"
echo small > "$work/root/small"
start --root "$work/root" --compress --access-log "$work/log" --metrics

h2() {
	curl -sS -m 20 --http2-prior-knowledge "$@"
}
python3 - "$port" << 'END' || { stop; skip "built without HTTP/2"; }
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
sys.exit(s.recv(12) == b"HTTP/1.1 505")
END

same "a small file" "small 2 200" "$(h2 -w '%{http_version} %{http_code}' "$url/small" | xargs)"
h2 -o "$work/got" "$url/large" && cmp -s "$work/got" "$work/root/large" || fault "a large file is another"
h2 --compressed -o "$work/got" "$url/text.txt" && cmp -s "$work/got" "$work/root/text.txt" || fault "gzip is another"
same "HEAD" "200 588895" "$(h2 -I -o "$work/got" -w '%{http_code} ' "$url/text.txt"; grep -oi '^content-length: [0-9]*' "$work/got" | tr -cd 0-9)"
same "a part" "$(tail -c 100 "$work/root/large" | cksum)" "$(h2 -r -100 "$url/large" | cksum)"
same "none" "404 Not Found 404" "$(h2 -w '%{http_code}' "$url/none" | xargs)"
same "a body that nobody wants" 405 "$(h2 -o "$work/got" -w '%{http_code}' --data-binary "@$work/root/text.txt" "$url/small")"
same "a body that is too large" 413 "$(h2 -o "$work/got" -w '%{http_code}' --data-binary "@$work/root/large" "$url/small")"
same "a head that is too large" 431 "$(h2 -o "$work/got" -w '%{http_code}' -H "x: $(head -c 20000 /dev/zero | tr '\0' a)" "$url/small")"
same "HTTP/1.1 at the same port" "small 1.1" "$(curl -sS -m 5 -w '%{http_version}' "$url/small" | xargs)"
same "nghttp" small "$(timeout 20 nghttp "$url/small")"
timeout 20 nghttp -d "$work/root/large" "$url/small" > "$work/got"
same "nghttp with a body that is too large" "413 Content Too Large" "$(cat "$work/got")"

# load WHAT OPTION...
load() {
	local what=$1
	shift
	timeout 60 h2load "$@" > "$work/load" 2>&1
	same "$what" "0 failed, 0 errored" "$(grep -o '[0-9]* failed, [0-9]* errored' "$work/load")"
}
load "many" -n 5000 -c 20 -m 50 "$url/small"
load "more at once than the server likes" -n 2000 -c 2 -m 400 "$url/small"
load "large ones with small windows" -n 40 -c 2 -m 10 -w 14 -W 16 "$url/large"
grep -q '"GET /small HTTP/2.0" 200' "$work/log" || fault "the log: $(tail -n 1 "$work/log")"

# what is no preface, wherever it is cut, and what comes behind a request
python3 - "$port" << 'END' || fault "prefaces"
import socket, sys
preface, settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0"
def say(*pieces):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.settimeout(20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for p in pieces:
        s.sendall(p)
    heard = b""
    try:
        while len(heard) < 9:
            more = s.recv(1000)
            if not more:
                break
            heard += more
    except ConnectionResetError:
        pass
    s.close()
    return heard
for cut in range(1, len(preface)):
    if say(preface[:cut], preface[cut:] + settings)[3:4] != b"\4":
        sys.exit(f"a preface that is cut at {cut}")
if not say(b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n").startswith(b"HTTP/1.1 "):
    sys.exit("another version")
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n" + preface + settings)
heard = s.makefile("rb").read()
if b"200 OK" not in heard or b"HTTP/1.1 505" not in heard:
    sys.exit(f"a preface behind a request: {heard}")
END

# the end: what was begun is answered
timeout 60 h2load -n 100000 -c 4 -m 20 "$url/small" > "$work/load" 2>&1 &
loader=$!
for _ in $(seq 200); do
	[ "$(wc -l < "$work/log")" -gt 12000 ] && break
	sleep 0.05
done
stop
wait "$loader"
grep -q ' 0 4xx, 0 5xx' "$work/load" || fault "the end: $(cat "$work/load")"

start --no-http2
same "without HTTP/2" "" "$(h2 "$url/" 2> "$work/err")"
same "without HTTP/2, HTTP/1.1" 200 "$(curl -sS -m 5 -o "$work/got" -w '%{http_code}' "$url/")"
stop

# TLS
command -v openssl > /dev/null && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/site.key" \
	-out "$work/site.pem" -subj "/CN=site" -addext "subjectAltName=IP:127.0.0.1" -days 3 2> /dev/null || skip "no certificate"
"$magpie" serve --listen 127.0.0.1:0 --tls-cert "$work/none" > /dev/null 2> "$work/err"
grep -q 'without TLS' "$work/err" && skip "built without the module tls"
start --root "$work/root" --tls-cert "$work/site.pem" --tls-key "$work/site.key"
tls() {
	curl -sS -m 20 --cacert "$work/site.pem" "$@"
}
same "ALPN" "small 2" "$(tls --http2 -w '%{http_version}' "$url/small" | xargs)"
same "ALPN of HTTP/1.1" "small 1.1" "$(tls --http1.1 -w '%{http_version}' "$url/small" | xargs)"
tls --http2 -o "$work/got" "$url/large" && cmp -s "$work/got" "$work/root/large" || fault "a large file by TLS is another"
# not by prior knowledge: curl 7.88 cannot use such a connection again
same "one connection" "small small small" "$(tls --http2 "$url/small" "$url/small" "$url/small" | xargs)"
tls --http2 -Z -o "$work/1" "$url/large" -o "$work/2" "$url/large" -o "$work/3" "$url/text.txt" > /dev/null 2>&1
cmp -s "$work/1" "$work/2" && cmp -s "$work/1" "$work/root/large" && cmp -s "$work/3" "$work/root/text.txt" ||
	fault "three at once are others"
load "many by TLS" -n 2000 -c 10 -m 20 "$url/small"
stop
start --root "$work/root" --tls-cert "$work/site.pem" --tls-key "$work/site.key" --no-http2
same "ALPN without HTTP/2" "small 1.1" "$(tls --http2 -w '%{http_version}' "$url/small" | xargs)"
stop
finish
