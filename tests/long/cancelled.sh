#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ten million operations that are cancelled, or as many as fit in the time when that is less than five minutes.
source "$(dirname "$0")/long.bash"

program=$(dirname "$magpie")/tests/long/cancelled
[ -x "$program" ] || skip "no program in this build"
wanted=10000000
timeout $((seconds + 60)) "$program" $wanted "$seconds" > "$work/out" 2>&1 || fault "exit status $?: see below"
cat "$work/out"
did=$(sed -n 's/ operations cancelled//p' "$work/out")
[ "$seconds" -lt 300 ] || same "operations" $wanted "$did"
finish
