#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# slowhttptest's four modes against `magpie serve`, whose clients get a twentieth of the usual time: heads that never end,
# bodies that trickle, many ranges at once, answers that nobody takes. Meanwhile others are answered, all of them and hardly
# later; the slow ones lose their connections in time, are never more than may come from one address, and cost little memory.
#
# All four at once; with MAGPIE_LONG each alone, too, and others' p99 may be but twice as long as without them.
source "$(dirname "$0")/serve.bash"
need slowhttptest curl python3

each=400     # connections from one address: of 600
count=150    # of each mode
floor=250    # ms: a p99 that is no matter, on a machine that does other things as well
[ -z "${MAGPIE_LONG:-}" ] || floor=3
windows=3
memory=$((32 * 1024)) # KiB: 24 MiB of them are the shelves' (src/http_server/http_buffer.c)

# counter NAME: of the server's metrics; the names of several are a pattern
counter() {
	curl -s -m 20 "$others/metrics" | awk -v name="^magpie_http_$1" '$1 ~ name { sum += $2 } END { print sum + 0 }'
}

# own: KiB of the server's own memory
own() {
	sed -n 's/^Anonymous: *\([0-9]*\) kB/\1/p' "/proc/$server/smaps_rollup"
}

# p99 WHAT: in us, the median of some windows in which requests are sent by the clock; each of them must be answered
p99() {
	for _ in $(seq $windows); do
		"$magpie" load --quiet -f json -q 200 -c 8 -n 80 "$others/small" > "$work/json" 2> "$work/load"
		python3 - "$work/json" << 'END' 2>> "$work/unanswered" || echo "others $1" >> "$work/unanswered"
import json, sys
r = json.load(open(sys.argv[1]))
print(round(r["latency_ms"]["p99"] * 1000))
if r["errors"] or r["status"] != {"200": 80}:
    print(r["errors"], "errors,", r["status"], r["error_kinds"], file=sys.stderr)
    sys.exit(1)
END
	done | sort -n | sed -n $((windows / 2 + 1))p
}

# slow OPTION...: clients of this kind, over and over until the file `attack` is gone; six seconds, if they do not see by then
# that they were cut off
slow() {
	while [ -e "$work/attack" ]; do
		timeout 60 slowhttptest -c $count -r $count -l 6 -i 1 -p 3 -u "http://127.0.0.1:$port/large" "$@" \
			> /dev/null 2>&1
	done
}

# attack MODE...: until `retreat`
attack() {
	local mode
	: > "$work/attack"
	attackers=()
	for mode in "$@"; do
		case $mode in
		read) slow -X -w 10 -y 20 -n 1 -z 5 -k 2 & ;;
		head) slow -H & ;;
		body) slow -B & ;;
		range) slow -R -b 3000 & ;;
		esac
		attackers+=($!)
	done
}

# retreat: those that hold a connection lose it by the server's deadlines
retreat() {
	rm -f "$work/attack"
	wait "${attackers[@]}"
}

# against MODE...: others' p99, without the slow ones and beside them
against() {
	local before during most=0 now try
	for try in 1 2 3; do
		before=$(p99 "alone")
		attack "$@"
		for _ in $(seq 100); do # until they are there
			[ "$(counter connections_accepted_total)" -gt $((accepted + count / 2)) ] && break
			sleep 0.05
		done
		during=$(p99 "beside $*")
		now=$(own)
		[ "$now" -le "$most" ] || most=$now
		now=$(counter 'connections$')
		[ "$now" -le $((each + 20)) ] || fault "$*: $now connections, $each may come from one address"
		retreat
		accepted=$(counter connections_accepted_total)
		echo "$*: p99 alone $before us, beside them $during us"
		[ "$during" -gt $((before * 2)) ] && [ "$during" -gt $((floor * 1000)) ] || break
		[ $try -lt 3 ] || fault "$*: others' p99 was $before us and is $during us"
	done
	[ $((most - memory_before)) -le $memory ] || fault "$*: $((most - memory_before)) KiB more"
	[ ! -s "$work/unanswered" ] || fault "$*: not all others are answered: $(cat "$work/unanswered")"
	for _ in $(seq 200); do # a silent one has a deadline, too
		[ "$(counter 'connections$')" -le 1 ] && break
		sleep 0.05
	done
	same "$*: connections afterwards" 1 "$(counter 'connections$')"
}

grep -qE '^0{31}1 ' /proc/net/if_inet6 2> /dev/null || skip "no IPv6 on loopback: others need an address of their own"
mkdir "$work/root"
echo small > "$work/root/small"
truncate -s 8M "$work/root/large" # more than sockets take
start --listen '[::]:0' --threads 2 --root "$work/root" --metrics --hurry 20 --connections-each $each
others="http://[::1]:$port"
p99 first > /dev/null
memory_before=$(own)
accepted=$(counter connections_accepted_total)
if [ -n "${MAGPIE_LONG:-}" ]; then
	for mode in head body range read; do against $mode; done
	floor=10
fi
against head body range read
# who was too slow heard that, or was cut off in the middle of an answer
[ "$(counter timeouts_total)" -ge $count ] || fault "$(counter timeouts_total) clients were too slow"
[ "$(counter 'requests_total.*4xx')" -ge $((count / 2)) ] || fault "$(counter 'requests_total.*4xx') were told so"
stop
finish
