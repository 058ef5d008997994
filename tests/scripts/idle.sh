#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 10,000 connections that are kept, each idle after a request, at the server's usual limits: 4 KiB of its memory each.
source "$(dirname "$0")/serve.bash"
need python3

count=10000
[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge $((count + 300)) ] ||
	skip "$count connections need $((count + 300)) open files, the hard limit is $(ulimit -Hn)"
# what a sanitizer has beside each allocation is not the server's
most=4096
if grep -qE '__(asan|tsan)_init' "$magpie"; then most=0; fi
start
room=$(sed -n 's/^FDSize:[^0-9]*//p' "/proc/$server/status")
[ "$room" -ge $count ] || fault "the kernel's table of open files has room for $room: it would grow while connections come"
python3 "$(dirname "$0")/idle.py" "$port" "$server" $count $most 0 2>&1 || fault "see above"
stop
finish
