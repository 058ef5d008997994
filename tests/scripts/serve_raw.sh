#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Requests as no decent client sends them: split, slow, broken, pipelined, too long.
source "$(dirname "$0")/serve.bash"
need python3

mkdir -p "$work/root"
echo index > "$work/root/index.html"
head -c 300000 /dev/urandom > "$work/root/big"
start
python3 "$(dirname "$0")/serve_raw.py" "$port" hello || fault "hello"
stop
start --root "$work/root" --threads 2
python3 "$(dirname "$0")/serve_raw.py" "$port" files "$work/root/big" || fault "files"
stop
finish
