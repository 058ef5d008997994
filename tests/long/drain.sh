#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGTERM under load drops no request that was sent before it; see drain.py for what that means.
source "$(dirname "$0")/long.bash"
need python3

mkdir "$work/root"
head -c 1500000 /dev/urandom > "$work/root/big"
rounds=0
seed=${MAGPIE_SEED:-$RANDOM$RANDOM}
while left; do
	start --threads 2 --root "$work/root"
	python3 "$long/drain.py" "$port" "$server" "$work/root/big" $((seed + rounds)) > "$work/round" 2>&1 ||
		fault "seed $((seed + rounds)): $(tail -n 5 "$work/round")"
	ended 0
	cat "$work/round" >> "$work/rounds"
	rounds=$((rounds + 1))
	[ $faults -lt 5 ] || break
done
awk '/ sent before / { n++; b += $1; a += $6 }
	END { print n " rounds: " b " requests before the signal, " a " after it without an answer" }' "$work/rounds"
finish
