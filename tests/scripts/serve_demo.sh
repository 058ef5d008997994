#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo: whole, with plain output; and cut short by a signal.
source "$(dirname "$0")/serve.bash"

"$magpie" demo > "$work/demo" 2> "$work/err"
rc=$?
grep -q 'cannot start' "$work/err" && cannot_start "the demo"
same "exit status" 0 "$rc"
for word in forks requests 'p99.9' steals memory 'magpie serve'; do
	grep -q -- "$word" "$work/demo" || fault "the demo does not say '$word'"
done
grep -q $'\033' "$work/demo" && fault "escape sequences in a file"
grep -qE 'requests  [0-9,]+ in .*, 0 errors' "$work/demo" || fault "$(grep requests "$work/demo")"

"$magpie" demo > "$work/demo" 2> "$work/err" &
server=$!
sleep 2
kill -INT "$server"
wait "$server"
same "exit status after SIGINT" 0 $?
server=
grep -q interrupted "$work/demo" || fault "the interrupted demo does not say so"
finish
