#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGQUIT to a server under load, which says what its tasks wait for and goes on; a deadlock, which is said unasked; and
# what looks like one but is none.
source "$(dirname "$0")/serve.bash"
need curl grep
hangs=$(dirname "$magpie")/hangs
rounds=20

mkdir "$work/root"
echo index > "$work/root/index.html"
start --root "$work/root"
for client in 1 2 3; do
	(
		for _ in $(seq 100); do
			curl -s -m 20 -o /dev/null -w '%{http_code}\n' "$url/"
		done > "$work/codes$client"
	) &
	clients[client]=$!
done
# dumped N: so many times
dumped() {
	[ "$(grep -c '^so far: ' "$work/err")" = "$1" ]
}
for round in $(seq $rounds); do
	kill -QUIT "$server"
	await dumped "$round"
	same "dumps after $round signals" "$round" "$(grep -c '^so far: ' "$work/err")"
done
wait "${clients[@]}"
same "answers" "300 200" "$(cat "$work"/codes? | sort | uniq -c | xargs)"
for words in 'magpie: a runtime of' 'mag_shutdown_run: the next stage' 'shutdown_ear: mag_signal_next' 'group &self->guests' 'http_door: mag_acceptor_next' \
	'worker 0: '; do
	same "dumps with '$words'" "$rounds" "$(grep -c -- "$words" "$work/err")"
done
sed '/^so far/q' "$work/err"
stop

[ -x "$hangs" ] || skip "no hangs program in this build"
# said MODE: what it writes until it has ended
said()
{
	timeout -s KILL 60 "$hangs" "$1" > "$work/text" 2>&1
}
# the sanitizer has a thread of its own, which might do something yet
if ! grep -q __tsan_init "$hangs"; then
	"$hangs" circle > "$work/text" 2>&1 &
	circle=$!
	await grep -q 'nothing moves' "$work/text"
	sleep 4 # for a second time
	kill -KILL "$circle"
	wait "$circle" 2> /dev/null
	grep -q 'nothing moves' "$work/text" || fault "a deadlock: $(cat "$work/text")"
	same "times that it is said" 1 "$(grep -c 'nothing moves' "$work/text")"
	grep -q 'a circle: locker \[.\] waits for locker \[.\], which' "$work/text" || fault "no circle: $(cat "$work/text")"
	cat "$work/text"
fi
for mode in outside sleep; do
	said $mode
	same "exit status of $mode" 0 $?
	same "words of $mode" "" "$(grep -v '^magpie: using epoll' "$work/text")"
done
export MAGPIE_DEBUG=deadlock
said outside
same "exit status of outside, asked" 0 $?
grep -q 'outside: mag_future_await' "$work/text" || fault "asked for, and not said: $(cat "$work/text")"
finish
