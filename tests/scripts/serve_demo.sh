#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What tools/demo shows: whole, with plain output; and `magpie demo` cut short by a signal.
source "$(dirname "$0")/serve.bash"

bash "$(dirname "$0")/../../tools/show" "$magpie" "$work/shown" > "$work/demo" 2> "$work/err"
rc=$?
grep -q 'cannot start' "$work/err" && cannot_start "the demo"
same "exit status" 0 "$rc"
for word in forks requests 'p99.9' steals memory 'magpie serve' '64 connections on' 'load.html'; do
	grep -q -- "$word" "$work/demo" || fault "the demo does not say '$word'"
done
grep -q $'\033' "$work/demo" && fault "escape sequences in a file"
grep -qE 'requests  [0-9,]+ in .*, 0 errors' "$work/demo" || fault "$(grep requests "$work/demo")"

if ! "$magpie" --help | grep -q 'fetch.*not in this build'; then
	grep -q '^10000 fetched, 0 failed' "$work/err" || fault "fetch: $(tail -n 3 "$work/err")"
	same "records" 10000 "$(wc -l < "$work/shown/records.jsonl")"
fi
grep -q '</html>' "$work/shown/load.html" || fault "no page"

"$magpie" demo > "$work/demo" 2> "$work/err" &
server=$!
sleep 2
kill -INT "$server"
wait "$server"
same "exit status after SIGINT" 0 $?
server=
grep -q interrupted "$work/demo" || fault "the interrupted demo does not say so"
finish
