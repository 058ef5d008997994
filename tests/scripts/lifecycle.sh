#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The end in stages by real signals: one, a second that hurries, a third that ends the process; a report; forked children.
source "$(dirname "$0")/serve.bash"
stops=$1/stops

# run HOW: in the background, until it is ready
run() {
	: > "$work/out"
	"$stops" "$1" > "$work/out" 2> "$work/err" &
	server=$!
	said ready
}

# said WORD: waits for it
said() {
	for _ in $(seq 1200); do
		grep -q "$1" "$work/out" && return
		kill -0 "$server" 2> /dev/null || break
		sleep 0.05
	done
	wait "$server"
	[ $? = 77 ] && server= && skip "no backend"
	fault "it does not say $1: $(cat "$work/out" "$work/err")"
}

# ended WHAT WANT: and how long that took is in $ms
ended() {
	local from
	from=$(date +%s%3N)
	wait "$server" 2> /dev/null
	same "exit status $1" "$2" $?
	server=
	ms=$(($(date +%s%3N) - from))
}

# who waits for a signal may yet be moved: that is no deadlock
run drain
sleep 2.5
grep -q 'nothing moves' "$work/err" && fault "$(head -n 1 "$work/err")"
kill -TERM "$server"
ended "after SIGTERM" 0
same "what it says" "ready told finished" "$(tr '\n' ' ' < "$work/out" | sed 's/ $//')"

# the second one cancels what would take for ever; another signal counts as well
run slow
kill -INT "$server"
said told
sleep 0.2
kill -0 "$server" || fault "the first signal ends it although it has work"
kill -TERM "$server"
ended "after two signals" 0
[ "$ms" -lt 50000 ] || fault "a hurried end takes $ms ms"
grep -q cancelled "$work/out" || fault "it was not cancelled: $(cat "$work/out")"

# the third one does what it did before
run stuck
kill -TERM "$server"
said told
for _ in $(seq 400); do # two of them may fall together
	kill -TERM "$server" 2> /dev/null || break
	sleep 0.05
done
ended "after three signals" 143
[ "$ms" -lt 10000 ] || fault "three signals take $ms ms"

# who is left is named
run late
kill -TERM "$server"
ended "with somebody left" 3
grep -q '1 participant(s) have not ended: worker' "$work/err" || fault "the report: $(cat "$work/err")"
grep -q 'worker: mag_sleep' "$work/err" || fault "what it is at: $(cat "$work/err")"

"$stops" fork || fault "a forked child does not end by a signal that the parent has opened"
finish
