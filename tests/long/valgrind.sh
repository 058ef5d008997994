#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Examples, unit tests and the server under valgrind, nothing of ours suppressed. BIN_DIR is of a build with
# MAGPIE_WAIT_POLL: any other hangs here. Valgrind does not see what the ring writes, so undefined values are looked for
# on epoll alone.
source "$(dirname "$0")/long.bash"
need valgrind curl

bin=$(realpath "$1")
run=0
tests=(stream tcp acceptor scope group queue queue_cancel timer offload offload_cancel future cancel fork file sendfile udp
	uring uring_queue uring_bufs)

# check LIMIT WHAT COMMAND...: the command under valgrind, with all its children
check() {
	local limit=$1 what=$2 rc
	shift 2
	left || return 0
	run=$((run + 1))
	rm -f "$work"/vg.*
	timeout "$limit" valgrind --trace-children=yes --log-file="$work/vg.%p" --error-exitcode=99 --leak-check=full \
		--errors-for-leak-kinds=definite,indirect,possible --suppressions="$long/valgrind.supp" "$@" \
		> "$work/vgout" 2>&1
	rc=$?
	[ $rc = 0 ] || fault "$what: exit status $rc: $(tail -n 3 "$work/vgout")"
	clean "$what"
}

# clean WHAT: no log tells of an error. A process that a test wants to abort has leaked nothing.
clean() {
	local log
	grep -q 'ERROR SUMMARY' "$work"/vg.* || fault "$1: valgrind says nothing"
	for log in $(grep -l 'ERROR SUMMARY: [1-9]' "$work"/vg.*); do
		if ! grep -q 'default action of signal 6' "$log" || grep -qE 'Invalid|ninitialised' "$log"; then
			fault "$1: $(head -n 40 "$log" | cut -c -160)"
		fi
	done
}

for name in hello fork_join futures generator group_limit queue timeout offload files echo; do
	check 120 "$name" --undef-value-errors=no "$bin/examples/$name"
	MAGPIE_BACKEND=epoll check 120 "$name on epoll" "$bin/examples/$name"
done

for backend in uring epoll; do
	export MAGPIE_BACKEND=$backend
	undefined=$([ $backend = epoll ] && echo yes || echo no)
	rm -f "$work"/vg.*
	cat > "$work/magpie" <<- END
		#!/bin/sh
		exec valgrind --log-file="$work/vg.%p" --error-exitcode=99 --leak-check=full --undef-value-errors=$undefined \
			--errors-for-leak-kinds=definite,indirect,possible "$bin/magpie" "\$@"
	END
	chmod +x "$work/magpie"
	magpie=$work/magpie
	# valgrind 3.19 does not know openat2(2), so on epoll there are no files
	if [ $backend = uring ]; then
		start --threads 2 --root "$long"
		file=$long/proxy.c
	else
		start --threads 2
		printf 'Hello, world!' > "$work/hello"
		file=$work/hello
	fi
	for _ in $(seq 20); do
		curl -sf "$url/proxy.c" | cmp -s - "$file" || fault "the server on $backend: a wrong answer"
		curl -s "$url/none" > /dev/null || fault "the server on $backend: no answer"
	done
	stop
	run=$((run + 1))
	clean "the server on $backend"
done
unset MAGPIE_BACKEND

for name in "${tests[@]}"; do
	[ -x "$bin/tests/unit/$name" ] || continue
	check 300 "unit.$name" --undef-value-errors=no "$bin/tests/unit/$name" -j1 --timeout 100
done
echo "$run programs under valgrind"
finish
