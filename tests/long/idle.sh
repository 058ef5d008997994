#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 100,000 connections from 50 addresses, each idle after a request: 4 KiB of the server's memory each, at the beginning and
# at the end. Where the system allows fewer, as many as it does, and then it is SKIPped.
source "$(dirname "$0")/long.bash"
need python3

count=100000
fewer=
# at_most N WHY
at_most() {
	[ "$1" -lt "$count" ] || return
	[ "$1" -ge 1000 ] || skip "$2"
	count=$1
	fewer=$2
}

files=$(ulimit -Hn)
[ "$files" = unlimited ] || at_most $((files - 300)) "the hard limit on open files is $files"
# the server's 4 KiB, and what the kernel has for a socket at each end
free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
at_most $((free / 2 / 16)) "$((free / 1024)) MiB of memory are available"
most=4096
[ -z "$sanitized" ] || most=0
start --threads 2 --connections $((count + 100))
timeout $((seconds + 600)) python3 "$long/../scripts/idle.py" "$port" "$server" "$count" $most "$seconds" 2>&1 |
	tee "$work/held"
[ "${PIPESTATUS[0]}" = 0 ] || fault "see above"
stop
[ -z "$fewer" ] || [ $faults != 0 ] || skip "$fewer: $(cat "$work/held")"
finish
