#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# io_uring_enter(2) fails now and then with EINTR, EAGAIN, EBUSY or ENOMEM, injected by strace: the examples end as ever,
# and the server answers every request.
source "$(dirname "$0")/long.bash"
need strace curl python3

bin=$(realpath "$1")
strace -o "$work/trace" -e trace=none true 2> "$work/why" || skip "strace may not trace here: $(head -n 1 "$work/why")"
[ "${MAGPIE_BACKEND:-}" != epoll ] || skip "no io_uring with MAGPIE_BACKEND=epoll"

# injected: how often it was
injected() {
	grep -c INJECTED "$work/trace"
}

# inject ERROR WHEN COMMAND...
inject() {
	local error=$1 when=$2
	shift 2
	timeout 60 strace -f -qq -o "$work/trace" -e trace=io_uring_enter -e "inject=io_uring_enter:error=$error:when=$when" \
		"$@" > "$work/said" 2>&1
}

check_examples() {
	local name rc
	for name in hello fork_join futures generator group_limit queue timeout offload files echo; do
		left || return
		inject "$1" "$2" "$bin/examples/$name"
		rc=$?
		[ $rc = 0 ] || fault "$name, $1 at $2: exit status $rc: $(tail -n 2 "$work/said")"
		times=$((times + $(injected)))
	done
}

check_server() {
	local tracer
	left || return
	start --threads 2 --root "$work/root"
	strace -f -qq -o "$work/trace" -e trace=io_uring_enter -e "inject=io_uring_enter:error=$1:when=$2" -p "$server" \
		2> "$work/why" &
	tracer=$!
	# both workers sleep: the tracer is there when it has seen them wake
	for _ in $(seq 100); do
		curl -sf -m 20 "$url/small" > /dev/null || fault "the server, $1 at $2: no answer"
		[ -s "$work/trace" ] && break
		sleep 0.05
	done
	python3 "$long/client.py" "$port" "$work/root/big" 1 1 healthy > "$work/client" ||
		fault "the server, $1 at $2: $(tail -n 3 "$work/client")"
	# with requests under way, it stops as it should
	stop
	wait "$tracer"
	times=$((times + $(injected)))
}

times=0
mkdir "$work/root"
echo small > "$work/root/small"
head -c 100000 /dev/urandom > "$work/root/big"
# the count is of each thread: the first, each third, each other one
for when in 1+3 2+2 4+7 5+50; do
	for error in EINTR EAGAIN EBUSY ENOMEM; do
		check_server $error $when
		check_examples $error $when
		[ $faults -lt 5 ] || break 2
	done
done
echo "$times calls have failed"
[ $times -gt 0 ] || fault "no call has failed"
finish
