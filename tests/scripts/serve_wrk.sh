#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wrk is content: no errors with many connections, without and with pipelining and files.
source "$(dirname "$0")/serve.bash"
need wrk

[ "$(ulimit -n)" -ge 3000 ] || ulimit -n 3000 || skip "too few open files"
mkdir "$work/root"
head -c 20000 /dev/urandom > "$work/root/file"
cat > "$work/pipeline.lua" << 'LUA'
init = function()
	local r = {}
	for i = 1, 16 do r[i] = wrk.format("GET", "/") end
	batch = table.concat(r)
end
request = function() return batch end
LUA

# run WHAT WRK-OPTION...
run() {
	local what=$1
	shift
	wrk -d 1 --timeout 60 "$@" > "$work/wrk"
	grep -qE 'Socket errors|Non-2xx' "$work/wrk" && fault "$what: $(grep -E 'Socket errors|Non-2xx' "$work/wrk")"
	[ "$(sed -n 's/ requests in.*//p' "$work/wrk")" -gt 100 ] || fault "$what: $(cat "$work/wrk")"
}

start
run "64 connections" -t 1 -c 64 "$url/"
run "1000 connections" -t 1 -c 1000 "$url/"
run "pipelined" -t 1 -c 64 -s "$work/pipeline.lua" "$url/"
stop
start --root "$work/root" --threads 2
run "files" -t 1 -c 64 "$url/file"
stop
finish
