#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The doctor, and what the commands say where io_uring is forbidden: what is used instead, or what to do.
source "$(dirname "$0")/serve.bash"
need python3

"$magpie" doctor > "$work/text"
rc=$?
"$magpie" doctor --json > "$work/json"
same "exit status with --json" "$rc" $?
python3 - "$work/json" "$rc" << 'PY' || fault "$(cat "$work/json")"
import json, sys
with open(sys.argv[1]) as file:
    facts = json.load(file)
assert facts["ok"] == (sys.argv[2] == "0") and facts["version"] and facts["kernel"] and "io_uring" in facts
PY
grep -q backend "$work/text" || fault "no backend in: $(cat "$work/text")"
"$magpie" doctor surplus > "$work/text" 2>&1
same "exit status of a wrong command line" 2 $?

# where io_uring_setup is forbidden
no_uring="$(dirname "$0")/../../tools/no-uring"
"$no_uring" "$magpie" doctor > "$work/text" 2> "$work/err"
rc=$?
[ "$rc" = 77 ] && skip "no seccomp here"
same "exit status without io_uring" 0 "$rc"
grep -q 'io_uring  *no' "$work/text" || fault "io_uring is forbidden, and the doctor says: $(cat "$work/text")"
grep -q 'backend  *epoll$' "$work/text" || fault "no epoll in: $(cat "$work/text")"
MAGPIE_BACKEND=uring "$no_uring" "$magpie" doctor > "$work/text" 2> "$work/err"
same "exit status with a backend that is forbidden" 1 $?
grep -q 'why not  *[a-z]' "$work/text" || fault "no reason in: $(cat "$work/text")"
MAGPIE_BACKEND=uring "$no_uring" "$magpie" serve --listen 127.0.0.1:0 > "$work/text" 2>&1
same "exit status of serve with a backend that is forbidden" 1 $?
grep -q 'cannot start: .' "$work/text" || fault "serve says: $(cat "$work/text")"
cat "$work/text"
finish
