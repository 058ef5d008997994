#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which backend a program gets: io_uring, epoll where that is forbidden, or the one that is named; and what is said.
source "$(dirname "$0")/serve.bash"
need python3
no_uring="$(dirname "$0")/../../tools/no-uring"
"$no_uring" true
[ $? = 77 ] && skip "no seccomp here"

# run ERROR BACKEND: the doctor where io_uring_setup fails with ERROR, with MAGPIE_BACKEND; its exit status
run() {
	MAGPIE_BACKEND=$2 "$no_uring" --errno "$1" "$magpie" doctor > "$work/text" 2> "$work/err"
}

backend() {
	sed -n 's/^  backend  *//p' "$work/text"
}

for error in EPERM ENOSYS EOPNOTSUPP; do
	run "$error" ""
	same "exit status after $error" 0 $?
	same "backend after $error" epoll "$(backend)"
	same "lines on stderr after $error" 1 "$(wc -l < "$work/err")"
	grep -q '^magpie: using epoll: ' "$work/err" || fault "after $error it says: $(cat "$work/err")"
	run "$error" uring
	same "exit status after $error with MAGPIE_BACKEND=uring" 1 $?
	same "backend after $error with MAGPIE_BACKEND=uring" none "$(backend)"
	same "lines on stderr after $error with MAGPIE_BACKEND=uring" 0 "$(wc -l < "$work/err")"
	run "$error" epoll
	same "exit status after $error with MAGPIE_BACKEND=epoll" 0 $?
	same "backend after $error with MAGPIE_BACKEND=epoll" epoll "$(backend)"
	same "lines on stderr after $error with MAGPIE_BACKEND=epoll" 0 "$(wc -l < "$work/err")"
done

# want of memory is no ban: it would make a program slower without a reason that can be found
run ENOMEM ""
same "exit status after ENOMEM" 1 $?
grep -q 'why not  *no memory' "$work/text" || fault "after ENOMEM: $(cat "$work/text")"

# by name it is had anywhere
MAGPIE_BACKEND=epoll "$magpie" doctor > "$work/text" 2> "$work/err"
same "exit status with MAGPIE_BACKEND=epoll" 0 $?
same "backend with MAGPIE_BACKEND=epoll" epoll "$(backend)"
grep -q 'MAGPIE_BACKEND' "$work/text" || fault "the doctor does not say why: $(cat "$work/text")"

"$no_uring" false
same "the command's exit status" 1 $?
"$no_uring" "$work/no such command" 2> /dev/null
same "exit status without a command" 127 $?
finish
