# SPDX-License-Identifier: MIT
# What the scripts that test `magpie serve` share: $magpie, a folder $work that goes away, a server that is stopped.
source "$(dirname "${BASH_SOURCE[0]}")/script.bash"

magpie=$1/magpie

# epoll instead of a forbidden io_uring is no news here: where words are counted, it need not be said
"$magpie" doctor 2> /dev/null | grep -q 'io_uring  *no' && export MAGPIE_BACKEND=epoll

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
	for _ in $(seq 1200); do
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

# ended STATUS: waits for the server; at another status, what it said
ended() {
	local rc
	wait "$server"
	rc=$?
	server=
	[ "$rc" = "$1" ] || fault "exit status: wanted $1, got $rc: $(grep -v '^=*$' "$work/err" | head -n 20)"
}

# stop: SIGTERM; the server must end with 0, having said one line, within the time that requests in flight get
stop() {
	kill -TERM "$server"
	ended 0
	same "lines of output" 1 "$(wc -l < "$work/out")"
}

# leave STATUS: nothing stays behind
leave() {
	trap - EXIT
	[ -n "$server" ] && kill -KILL "$server"
	rm -rf "$work"
	exit "$1"
}

need sed
[ -x "$magpie" ] || skip "no magpie command in this build"
