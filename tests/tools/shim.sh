#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The shim of tests/shim: what fails fails, what hangs is ended, a race fails its test, a skip is said.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
cc=$(command -v gcc || command -v clang)

build()
{
	"$cc" -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror "$@" -I"$root/tests/shim" -o "$scratch/program" \
		"$root/tests/tools/fixtures/shim.c" "$root/tests/shim/shim.c" -pthread
}

# verdict TEST EXPECTED: PASS, FAIL or SKIP of one test, and the exit code that goes with it
verdict()
{
	local code=0 want=0
	cases=$((cases + 1))
	"${prefix[@]}" "$scratch/program" -j1 --verbose --filter "$1" > "$scratch/out" 2>&1 || code=$?
	[[ $2 == FAIL ]] && want=1
	grep -q "^\[$2\] ${1/\//::}" "$scratch/out" || fail "$1: no $2: $(cat "$scratch/out")"
	((code == want)) || fail "$1: exit code $code, not $want"
}

prefix=()
build
for name in holds timeout_kept exit_code signal fixtures; do
	verdict "shim/$name" PASS
done
for name in fails fails_on_a_thread expects hangs crashes wrong_exit_code; do
	verdict "shim/$name" FAIL
done
verdict shim/skipped SKIP
verdict shim/disabled SKIP
verdict suite/inherits_init PASS
grep -q "no reason, 7" <("$scratch/program" --filter shim/skipped 2>&1) || fail "a skip does not say why"
grep -q "three is 3" <("$scratch/program" --filter shim/fails 2>&1) || fail "a failure does not give its message"
verdict shim/races PASS

if build -fsanitize=thread -g 2> "$scratch/out"; then
	setarch -R true 2> /dev/null && prefix=(setarch -R)
	verdict shim/holds PASS
	verdict shim/races FAIL
else
	echo "SKIP: no ThreadSanitizer: $(head -n 1 "$scratch/out")"
fi

finish
