# SPDX-License-Identifier: MIT
# What the scripts that test `magpie serve` share: $magpie, a folder $work that goes away, a server that is stopped.
set -u

magpie=$1/magpie
work=$(mktemp -d)
server=
faults=0

skip() {
	echo "SKIP: $1"
	exit 77
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
		if grep -q 'cannot start' "$work/err"; then
			skip "magpie cannot run here"
		fi
		fault "serve $* does not start"
		finish
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

finish() {
	trap - EXIT
	[ -n "$server" ] && kill -KILL "$server"
	rm -rf "$work"
	[ "$faults" = 0 ] || echo "$faults faults"
	exit $((faults > 0))
}
trap finish EXIT

need mktemp sed
[ -x "$magpie" ] || skip "no magpie command in this build"
