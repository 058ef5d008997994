#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A network that delays, splits, stalls, half closes, cuts and resets (proxy.c) between clients and the server: what
# arrives is right, a healthy client beside them is served, and the server keeps nothing in the end.
source "$(dirname "$0")/long.bash"
need python3

proxy=$(dirname "$magpie")/tests/long/proxy
[ -x "$proxy" ] || skip "no proxy in this build"
seed=${MAGPIE_SEED:-$RANDOM}
echo "MAGPIE_SEED=$seed"
mkdir "$work/root"
head -c 50000 /dev/urandom > "$work/root/big"

# through KIND: starts a proxy; $at is its port
through() {
	: > "$work/$1"
	"$proxy" 127.0.0.1:0 "127.0.0.1:$port" "$seed" "$1" > "$work/$1" &
	proxies+=($!)
	for _ in $(seq 1200); do
		at=$(sed -n 's/^listening on .*://p' "$work/$1")
		[ -n "$at" ] && return
		sleep 0.05
	done
	fault "the proxy does not start"
	finish
}

# talk PORT SECONDS KIND
talk() {
	python3 "$long/client.py" "$1" "$work/root/big" "$2" "$seed" "$3"
}

proxies=() clients=()
start --threads 2 --root "$work/root"
through mild
mild=$at
through rough
rough=$at
# at first in short, so that what is noted has what the server keeps for good
talk "$port" 0.3 healthy > /dev/null || fault "healthy clients alone"
talk "$rough" 0.3 rough > /dev/null || fault "the proxy alone"
sleep 0.5
note
talk "$port" "$seconds" healthy &
clients+=($!)
talk "$mild" "$seconds" mild &
clients+=($!)
talk "$rough" "$seconds" rough &
clients+=($!)
for pid in "${clients[@]}"; do
	wait "$pid" || fault "clients: see above"
done
alive chaos
kill -TERM "${proxies[@]}"
wait "${proxies[@]}"
for kind in mild rough; do
	echo "$kind: $(tail -n 1 "$work/$kind")"
	! grep -qE ' 0 (pass|delay|split|stall)' "$work/$kind" || [ "$seconds" -lt 10 ] || fault "$kind: not all was done"
done
! grep -qE ' 0 (half|cut|reset)' "$work/rough" || [ "$seconds" -lt 10 ] || fault "rough: not all was done"
same_as_noted chaos $((shelves + 4096))
stop
finish
