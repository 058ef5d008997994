#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long the server waits for a client that asks nothing, sends no more of a body or takes no answer; and how much it
# reads of one that does not take its answers. The head's deadline is in serve_raw.sh, as long as it is.
source "$(dirname "$0")/serve.bash"
need python3

mkdir "$work/root"
echo index > "$work/root/index.html"
head -c 30000000 /dev/zero > "$work/root/big"
head -c 8000000 /dev/urandom > "$work/root/file"
# a minute is four seconds, and 1 KiB/s is 15 KiB/s
start --hurry 15 --root "$work/root"
python3 "$(dirname "$0")/serve_deadlines.py" "$port" hurry "$work/root/file" || fault "--hurry 15"
stop
start
python3 "$(dirname "$0")/serve_deadlines.py" "$port" flood "$server" || fault "a client that does not read"
stop
finish
