# SPDX-License-Identifier: MIT
# What the scripts that test `magpie serve` share: $magpie, a folder $work that goes away, a server that is stopped.
set -u

magpie=$1/magpie
work=$(mktemp -d)
server=
faults=0

# skip REASON: of the whole script; what was found until now counts
skip() {
	echo "SKIP: $1"
	[ "$faults" = 0 ] || finish
	leave 77
}

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" > /dev/null || skip "no $tool"
	done
}

fault() {
	echo "FAULT: $1"
	faults=$((faults + 1))
}

# same WHAT WANT GOT
same() {
	[ "$2" = "$3" ] || fault "$1: wanted '$2', got '$3'"
}

# cannot_start WHAT: without io_uring, too, it should
cannot_start() {
	fault "$1 does not start: $("$magpie" doctor 2>&1 | head -n 3 | tr '\n' ' ')"
	finish
}

# start OPTION...: $url and $port say where; $max_files: the server's limit on open files
start() {
	: > "$work/out"
	(
		[ -z "${max_files:-}" ] || ulimit -n "$max_files"
		exec "$magpie" serve --listen 127.0.0.1:0 "$@" > "$work/out" 2> "$work/err"
	) &
	server=$!
	for _ in $(seq 200); do
		url=$(sed -n 's/^listening on //p' "$work/out")
		[ -n "$url" ] && break
		kill -0 "$server" 2> /dev/null || break
		sleep 0.05
	done
	if [ -z "$url" ]; then
		cat "$work/err"
		cannot_start "serve $*"
	fi
	port=${url##*:}
}

# stop: SIGTERM; the server must end with 0, having said one line, within the time that requests in flight get
stop() {
	local rc
	kill -TERM "$server"
	wait "$server"
	rc=$?
	server=
	same "exit status" 0 "$rc"
	same "lines of output" 1 "$(wc -l < "$work/out")"
}

# leave STATUS: nothing stays behind
leave() {
	trap - EXIT
	[ -n "$server" ] && kill -KILL "$server"
	rm -rf "$work"
	exit "$1"
}

finish() {
	[ "$faults" = 0 ] || echo "$faults faults"
	leave $((faults > 0))
}
trap 'fault "the script ends before its end"; finish' EXIT

need mktemp sed
[ -x "$magpie" ] || skip "no magpie command in this build"
