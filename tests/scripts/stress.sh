#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `magpie stress` on the programs of examples/sim: the mended ones pass, a command line that is wrong is refused.
source "$(dirname "$0")/serve.bash"
programs=$(dirname "$magpie")/../examples/sim
[ -d "$programs" ] || skip "no examples/sim beside $magpie"

for name in lost_wakeup check_then_act leak_on_cancel; do
	"$magpie" stress "$programs/${name}_fixed.so" --seconds 1 --limit 60 > "$work/text" 2>&1
	same "exit status of ${name}_fixed" 0 $?
	grep -q 'no failure' "$work/text" || fault "$name: $(cat "$work/text")"
done

# refused STATUS WORDS ARGUMENT...
refused()
{
	local status=$1 words=$2
	shift 2
	"$magpie" stress "$@" > "$work/text" 2>&1
	same "exit status of stress $*" "$status" $?
	grep -q -- "$words" "$work/text" || fault "stress $*: no '$words' in: $(cat "$work/text")"
}

any=$programs/lost_wakeup_fixed.so
refused 2 'which program'
refused 1 'no-such-file.so' no-such-file.so
refused 2 'not a number' "$any" --seconds 0
refused 2 'not a number' "$any" --workers 65
refused 2 'what is' "$any" "$any"
finish
