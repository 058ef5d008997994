#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# magpie serve under TLS: curl and openssl at the other end, large files, a slow client, garbage, another certificate at
# SIGHUP, and what is wrong with one.
source "$(dirname "$0")/serve.bash"
need curl openssl timeout cmp python3

"$magpie" serve --tls-key x > /dev/null 2> "$work/err"
same "status of a key alone" 2 $?
"$magpie" serve --listen 127.0.0.1:0 --tls-cert "$work/none" > /dev/null 2> "$work/err"
same "status without a certificate" 1 $?
grep -q 'without TLS' "$work/err" && skip "built without the module tls"
grep -q "cannot speak TLS: .*$work/none" "$work/err" || fault "a missing certificate: $(cat "$work/err")"

# certificate NAME FILE: one of its own
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$2.key" -out "$work/$2.pem" \
		-subj "/CN=$1" -addext "subjectAltName=IP:127.0.0.1" -days 3 2> /dev/null
}
certificate first site || skip "openssl cannot make certificates"
certificate other other
"$magpie" serve --listen 127.0.0.1:0 --tls-cert "$work/site.pem" --tls-key "$work/other.key" > /dev/null 2> "$work/err"
same "status of another's key" 1 $?
grep -q "cannot speak TLS: .*key" "$work/err" || fault "another's key: $(cat "$work/err")"

mkdir "$work/root"
head -c 3000000 /dev/urandom > "$work/root/large"
echo small > "$work/root/small"
start --root "$work/root" --tls-cert "$work/site.pem" --tls-key "$work/site.key" --hurry 10
[[ $url == https://* ]] || fault "it listens on $url"
got() {
	curl -sS -m 20 --cacert "$work/site.pem" "$@"
}

same "one connection, three requests" "small small small" \
	"$(got "$url/small" "$url/small" "$url/small" -w '%{num_connects}' | tr -d 01 | xargs)"
for version in 1.2 1.3; do
	got --tlsv$version --tls-max $version -o "$work/large" "$url/large" || fault "TLS $version"
	cmp -s "$work/large" "$work/root/large" || fault "a large file by TLS $version is another"
done
same "TLS 1.1" 35 "$(got --tls-max 1.1 "$url/small" > /dev/null 2>&1; echo $?)"
same "a part" "$(tail -c 100 "$work/root/large" | cksum)" "$(got -r -100 "$url/large" | cksum)"
same "a body" 405 "$(got -o /dev/null -w '%{http_code}' -d data "$url/small")"

# a client that takes 30,000 bytes a second and one that says nothing at all, beside garbage and a plain request
got --limit-rate 1500000 -o "$work/slow" "$url/large" &
slow=$!
timeout 60 openssl s_client -connect "127.0.0.1:$port" -quiet > /dev/null 2>&1 < <(sleep 3) &
idle=$!
head -c 500 /dev/urandom | timeout 5 bash -c "cat > /dev/tcp/127.0.0.1/$port" 2> /dev/null
same "plain HTTP" "" "$(curl -s -m 5 "http://127.0.0.1:$port/small" | head -c 20 | tr -cd 'a-z')"
wait "$slow" || fault "a slow client is cut off"

# Tried: what is encrypted ahead of a slow client counted as not taken by it. This one takes twice the minimum.
truncate -s 64M "$work/root/long"
python3 - "$port" << 'END' || fault "a client at twice the minimum rate is cut off"
import socket, ssl, sys, time
raw = socket.socket()
raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
raw.connect(("127.0.0.1", int(sys.argv[1])))
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
client = context.wrap_socket(raw)
client.sendall(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
since, took = time.monotonic(), 0
while time.monotonic() - since < 8:
    data = client.recv(4096)
    if not data:
        sys.exit(1)
    took += len(data)
    time.sleep(max(0, took / 21000 - (time.monotonic() - since)))
END
cmp -s "$work/slow" "$work/root/large" || fault "a slow client gets another file"
wait "$idle"
{ printf 'GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'; sleep 0.3; } |
	timeout 60 openssl s_client -connect "127.0.0.1:$port" -alpn http/1.1 -ign_eof > "$work/client" 2>&1
grep -q 'ALPN protocol: http/1.1' "$work/client" || fault "no ALPN"
grep -q '^small' "$work/client" || fault "openssl: $(tail -n 5 "$work/client")"
timeout 60 openssl s_client -connect "127.0.0.1:$port" -alpn smtp < /dev/null > "$work/client" 2>&1 && fault "smtp is taken"

# the load generator
"$magpie" load --quiet -f json -n 500 -c 8 --cacert "$work/site.pem" "$url/small" > "$work/json" 2> "$work/load" ||
	fault "load: $(cat "$work/load")"
same "load" "500 0" "$(python3 -c "import json; r = json.load(open('$work/json')); print(r['answers'], r['errors'])")"
"$magpie" load --quiet -n 1 "$url/small" > /dev/null 2> "$work/load"
same "load that trusts nobody" 1 $?
grep -q 'no TLS with 127.0.0.1 port' "$work/load" || fault "load that trusts nobody: $(cat "$work/load")"
"$magpie" load --quiet -n 1 -k "$url/small" > /dev/null 2> "$work/load"
same "load that trusts anybody" 0 $?
"$magpie" load --quiet -n 1 "https://127.0.0.1:${url##*:}/small" --cacert "$work/none" > /dev/null 2> "$work/load"
same "load with a file that is not there" 2 $?

# another certificate
cp "$work/other.pem" "$work/site.pem"
kill -HUP "$server"
await grep -q 'the certificate stays as it was: ' "$work/err" || fault "a certificate without its key is taken"
cp "$work/other.key" "$work/site.key"
kill -HUP "$server"
await grep -q 'took the certificate' "$work/err"
same "the other certificate" small "$(curl -sS -m 20 --cacert "$work/other.pem" "$url/small")"
stop
finish
