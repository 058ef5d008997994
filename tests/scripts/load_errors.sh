#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# magpie load against a server that does everything wrong, and against one that does unusual things right.
source "$(dirname "$0")/load.bash"

python3 "$(dirname "$0")/load_peer.py" > "$work/ports" 2> "$work/seen" &
server=$!
await [ -s "$work/ports" ]
read -r port full < "$work/ports" || skip "the server does not start"
url=http://127.0.0.1:$port

# unusual, and right
for word in ok chunked interim empty missing close old until-end; do
	load 0 -n 40 -c 4 "$url/$word"
	holds "$word" "r['answers'] == 40 and r['errors'] == 0 and sum(r['status'].values()) == 40"
done
holds "until the end" "40 <= r['connections_opened'] <= 44 and r['sent_again'] == 0"
load 0 -n 40 -c 4 "$url/ok"
holds "kept alive" "r['connections_opened'] == 4"
load 0 -n 40 -c 4 --disable-keepalive "$url/ok"
holds "not kept alive" "r['connections_opened'] >= 40 and not r['keepalive']"
load 0 -n 20 -c 4 "$url/slow"
holds "latency" "50 <= r['latency_ms']['min'] <= r['latency_ms']['p50'] < 2000 and 0.25 <= r['seconds'] < 20"
load 0 -n 10 -c 1 -m HEAD "$url/head"
holds "HEAD" "r['answers'] == 10 and r['errors'] == 0 and r['connections_opened'] == 1"
load 0 -n 3 -c 1 "$url/missing"
holds "404" "r['status'] == {'404': 3} and r['error_rate'] == 1"

# a connection that is closed when it is used again is no error
load 0 -n 20 -c 2 "$url/once"
holds "closed while idle" "r['answers'] == 20 and r['errors'] == 0 and r['connections_opened'] >= 20"
load 1 -n 20 -c 2 -d x --fail-if 'errors>0' "$url/once"
holds "but a POST may have been done" "r['errors'] > 0 and set(r['error_kinds']) <= {'closed_early', 'reset'}"

# kind WORD KIND OPTION...: each request ends so
kind() {
	local word=$1 kind=$2
	shift 2
	load 1 -n 6 -c 2 "$@" "$url/$word"
	holds "$word" "r['answers'] == 0 and r['errors'] == 6 and r['error_kinds'] == {'$kind': 6} and r['error_rate'] == 1"
}
kind nothing closed_early
kind short closed_early
kind short-chunk closed_early
kind reset reset
kind malformed malformed
kind more malformed
kind large too_large
kind head-large too_large
kind silent timeout --timeout 200ms
holds "a timeout is kept" "0.6 <= r['seconds'] < 10"
load 1 -n 2 -c 1 --timeout 300ms "http://127.0.0.1:$full/"
holds "nobody accepts" "r['error_kinds'] == {'connect_timeout': 2}"

# who is not there is known before the load begins
load 1 -n 1 "http://127.0.0.1:1/"
grep -q '^magpie load: cannot connect to 127.0.0.1 port 1: Connection refused$' "$work/err" || fault "$(cat "$work/err")"
load 1 -n 1 "http://no-such-host.invalid/"
grep -q '^magpie load: cannot resolve no-such-host.invalid' "$work/err" || fault "$(cat "$work/err")"

# what is sent
load 0 -n 1 -c 1 -H 'X-Test: yes' -H 'user-agent: me' -d 'a=b' -m PUT "$url/echo?x=%20#y"
grep -q "^echo PUT /echo?x=%20 HTTP/1.1|Host: 127.0.0.1:$port|Accept: \*/\*|X-Test: yes|user-agent: me|Content-Length: 3" \
	"$work/seen" || fault "sent: $(cat "$work/seen")"
printf 'from a file' > "$work/body"
load 0 -n 1 -c 1 -d "@$work/body" "$url/echo"
grep -q '^from a file$' "$work/seen" || fault "a body from a file: $(cat "$work/seen")"
head -c 8000000 /dev/zero > "$work/body"
load 0 -n 10 -c 2 -d "@$work/body" "$url/refuse"
holds "an answer before the body has gone out" "r['status'] == {'413': 10} and r['errors'] == 0"

# an open loop: a server that stalls for a second is seen in all that were due meanwhile, not in one answer alone
load 0 -q 100 -z 2s -c 1 "$url/stall"
holds "open loop" "r['latency_ms']['p75'] > 200 and r['latency_ms']['p50'] < 600 and r['latency_ms']['max'] > 900"
holds "its schedule" "190 <= r['answers'] + r['unsent'] <= 201 and r['rate_wanted'] == 100"
load 1 -q 50 -z 1s -c 1 --timeout 1100ms "$url/silent"
holds "what was never sent is said" "r['unsent'] > 40 and any('never sent' in n for n in r['notes'])"

kill "$server"
wait "$server" 2> /dev/null
server=
finish
