# SPDX-License-Identifier: MIT
# What the scripts share that talk to others' programs: one at a time in the background.
source "$(dirname "${BASH_SOURCE[0]}")/script.bash"

# said FILE WORDS: waits for them
said() {
	await grep -qF -- "$2" "$1" && return 0
	fault "'$2' is not said: $(tail -n 5 "$1")"
	return 1
}

# start FILE PROGRAM ARGUMENT...: in the background, what it says into the file, until that has a line "port N": $port
start() {
	local out=$1 rc
	shift
	: > "$out"
	"$@" > "$out" 2> "$work/err" &
	server=$!
	for _ in $(seq 3000); do
		port=$(sed -n 's/^port //p' "$out")
		[ -z "$port" ] || return 0
		kill -0 "$server" 2> /dev/null || break
		sleep 0.02
	done
	wait "$server"
	rc=$?
	server=
	[ "$rc" != 77 ] || skip "no backend: $(cat "$work/err")"
	fault "it does not start: $* $(cat "$work/err")"
	finish
}

# over: ends what was started
over() {
	kill -KILL "$server" 2> /dev/null
	wait "$server" 2> /dev/null
	server=
}

# leave STATUS: nothing stays behind
leave() {
	trap - EXIT
	[ -z "$server" ] || over
	rm -rf "$work"
	exit "$1"
}
