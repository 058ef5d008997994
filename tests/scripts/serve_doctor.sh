#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The doctor, and what the commands say where io_uring is forbidden: that it is, and what to do.
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

# in a sandbox that forbids io_uring_setup
cat > "$work/forbid.py" << 'PY'
import ctypes, os, struct, sys
EPERM, ALLOW, ERRNO = 1, 0x7FFF0000, 0x00050000
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, ERRNO | EPERM), (0x06, 0, 0, ALLOW)]
filters = b"".join(struct.pack("HBBI", *c) for c in code)
memory = ctypes.create_string_buffer(filters)
program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(memory))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
PY
python3 "$work/forbid.py" "$magpie" doctor > "$work/text"
rc=$?
[ "$rc" = 77 ] && skip "no seccomp here"
grep -q 'io_uring  *no' "$work/text" || fault "io_uring is forbidden, and the doctor says: $(cat "$work/text")"
if [ "$rc" != 0 ]; then # without another backend
	same "exit status without io_uring" 1 "$rc"
	grep -q 'why not  *[a-z]' "$work/text" || fault "no reason in: $(cat "$work/text")"
	python3 "$work/forbid.py" "$magpie" serve --listen 127.0.0.1:0 > "$work/text" 2>&1
	same "exit status of serve without io_uring" 1 $?
	grep -q 'cannot start: .' "$work/text" || fault "serve says: $(cat "$work/text")"
fi
cat "$work/text"
finish
