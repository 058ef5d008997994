#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The server under a mixed load for hours: the memory that it has after the first tenth must do to the end.
source "$(dirname "$0")/long.bash"
need wrk curl python3

mkdir "$work/root"
head -c 200000 /dev/urandom > "$work/root/big"
echo small > "$work/root/small"

# load: five seconds of everything; many connections that are kept, files, short ones, rude ones
load() {
	local pids=()
	wrk --timeout 30s -t 1 -c 200 -d 4 "$url/small" > "$work/wrk" 2>&1 &
	pids+=($!)
	wrk --timeout 30s -t 1 -c 20 -d 4 "$url/big" > "$work/wrk2" 2>&1 &
	pids+=($!)
	wrk --timeout 30s -t 1 -c 20 -d 4 -H 'Connection: close' "$url/small" > "$work/wrk3" 2>&1 &
	pids+=($!)
	python3 "$long/client.py" "$port" "$work/root/big" 4 $((rounds + 1)) healthy > "$work/client" ||
		fault "a healthy client: $(tail -n 3 "$work/client")"
	wait "${pids[@]}"
	grep -hE 'Socket errors|Non-2xx' "$work/wrk" "$work/wrk2" > "$work/errors" && fault "wrk: $(cat "$work/errors")"
	answers=$((answers + $(sed -n 's/ requests in.*//p' "$work/wrk" "$work/wrk2" "$work/wrk3" | paste -sd+)))
	rounds=$((rounds + 1))
	alive "round $rounds"
}

rounds=0 answers=0
start --threads 2 --root "$work/root"
load
warm=$((SECONDS + seconds / 10))
while [ $SECONDS -lt $warm ]; do load; done
sleep 1
note
next=0
while left && [ $faults -lt 5 ]; do
	load
	if [ $SECONDS -ge $next ]; then
		echo "after $rounds rounds: $answers answers, $(files "$server") files, $(resident "$server") KiB"
		next=$((SECONDS + 600))
	fi
done
sleep 1
# ten minutes fill the server's shelves
if [ "$seconds" -ge 6000 ]; then shelves=0; fi
same_as_noted "$answers answers" $((shelves + 4096))
stop
finish
