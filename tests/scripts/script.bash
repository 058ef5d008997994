# SPDX-License-Identifier: MIT
# What all scripts share: a folder $work that goes away, a program in the background, $server, and how faults are counted. Who
# sources it has a function `leave STATUS`, by which the script ends.
set -u

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

# await COMMAND...: until it succeeds; a busy machine is slow, so for a minute
await() {
	for _ in $(seq 1200); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}

# same WHAT WANT GOT
same() {
	[ "$2" = "$3" ] || fault "$1: wanted '$2', got '$3'"
}

finish() {
	[ "$faults" = 0 ] || echo "$faults faults"
	leave $((faults > 0))
}
trap 'fault "the script ends before its end"; finish' EXIT
