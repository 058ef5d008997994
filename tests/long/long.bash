# SPDX-License-Identifier: MIT
# What the long runs share, beside what tests/scripts/serve.bash gives: how long ($seconds), and what a process holds.
#
#     bash tests/long/NAME.sh BIN_DIR SECONDS
#
# BIN_DIR is build/PRESET/bin. The exit status is 0, 1 after a FAULT, 77 after a SKIP.

long=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
source "$long/../scripts/serve.bash"
seconds=${2:?how many seconds?}
until=$((SECONDS + seconds))

# What a sanitizer holds back is no leak.
sanitized=
grep -qE '__(asan|tsan)_init' "$magpie" && sanitized=yes

# What the server may come to keep for answers, in KiB, by and by: 12 MiB a worker (src/http_server/http_buffer.c).
shelves=$((2 * 12 * 1024))

left() {
	[ $SECONDS -lt $until ]
}

# resident PID: KiB
resident() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# files PID: how many are open
files() {
	local all=("/proc/$1/fd"/*)
	echo ${#all[@]}
}

# note: what the server holds now that it is at rest
note() {
	files_before=$(files "$server")
	resident_before=$(resident "$server")
}

# same_as_noted WHAT KIB: it is at rest again, within some seconds, and holds what it did, give or take KIB
same_as_noted() {
	local now
	for _ in $(seq 100); do
		[ "$(files "$server")" = "$files_before" ] && break
		sleep 0.1
	done
	same "$1: open files" "$files_before" "$(files "$server")"
	now=$(resident "$server")
	echo "$1: $files_before files, $resident_before KiB before, $now KiB after"
	[ -n "$sanitized" ] || [ "$now" -le $((resident_before + $2)) ] || fault "$1: $((now - resident_before)) KiB more"
}

# alive WHAT: the server has not crashed
alive() {
	kill -0 "$server" 2> /dev/null && return
	fault "$1: the server is gone: $(tail -n 5 "$work/err")"
	server=
	finish
}
