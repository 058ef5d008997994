#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `magpie sim` on the programs of examples/sim: each planted bug is found and replayed, each mended twin passes, and what
# is no program is refused with words.
#
# MAGPIE_SIM_SEEDS: how many each mended twin passes; with 10,000 it shrinks, too.
source "$(dirname "$0")/serve.bash"
seeds=${MAGPIE_SIM_SEEDS:-10000}
programs=$(dirname "$magpie")/../examples/sim
[ -d "$programs" ] || skip "no examples/sim beside $magpie"

# replayed LINE: its exit status and the hash that it prints
replayed()
{
	local words
	read -ra words <<< "$1"
	"$magpie" "${words[@]:2}" > "$work/again" 2>&1
	echo "$? $(sed -n 's/^replay: .* hash //p' "$work/again")"
}

for name in lost_wakeup check_then_act leak_on_cancel; do
	"$magpie" sim "$programs/$name.so" --seeds 10000 > "$work/found" 2> "$work/said"
	same "exit status of $name" 1 $?
	same "lines to replay $name" 1 "$(grep -c '^replay: ' "$work/found")"
	line=$(grep '^replay: ' "$work/found")
	hash=${line##* hash }
	same "replay of $name" "1 $hash" "$(replayed "$line")"
	same "replay of $name once more" "1 $hash" "$(replayed "$line")"
	cat "$work/found" "$work/said"
	if [ "$seeds" -ge 10000 ]; then
		"$magpie" sim "$programs/$name.so" --seeds 10000 --shrink > "$work/found" 2>&1
		same "exit status of $name, shrunk" 1 $?
		line=$(grep '^replay: ' "$work/found")
		same "replay of $name, shrunk" "1 ${line##* hash }" "$(replayed "$line")"
	fi
	"$magpie" sim "$programs/${name}_fixed.so" --seeds "$seeds" > "$work/found" 2>&1
	same "exit status of ${name}_fixed" 0 $?
done

# refused STATUS WORDS ARGUMENT...
refused()
{
	local status=$1 words=$2
	shift 2
	"$magpie" sim "$@" > "$work/text" 2>&1
	same "exit status of sim $*" "$status" $?
	grep -q -- "$words" "$work/text" || fault "sim $*: no '$words' in: $(cat "$work/text")"
}

any=$programs/lost_wakeup.so
refused 2 'which program'
refused 1 'no-such-file.so' no-such-file.so
refused 1 'declares no program' "$(ldd "$magpie" | sed -n 's/.*libmagpie[.]so[^ ]* => \([^ ]*\) .*/\1/p')"
refused 2 'the names are' "$any" --faults disc
refused 2 'not a number' "$any" --seeds many
refused 2 'not a number' "$any" --seed -1
refused 2 'which --seed' "$any" --trace -
refused 2 'what is' "$any" "$any"
refused 2 'not a number' "$any" --jobs 0
refused 2 'not a number' "$any" --seeds 0
refused 2 'wanted steps' "$any" --seed 1 --preempt-at 12,x
refused 1 'not the run that was asked for' "$any" --seed 1 hash 0x1

# seeds that share a process and disturb one another get one each; a process that ends is a failure of its seed
broken=$(dirname "$magpie")/../tests/programs
"$magpie" sim "$broken/keeps.so" --seeds 1000 > "$work/text" 2>&1
same "exit status of keeps" 0 $?
"$magpie" sim "$broken/leaves.so" --seeds 10000 > "$work/text" 2>&1
same "exit status of leaves" 1 $?
same "what leaves did" 1 "$(grep -c 'the program ended its process' "$work/text")"
line=$(grep '^replay: ' "$work/text")
same "replay of leaves" 1 "$(replayed "$line" | cut -d' ' -f1)"

"$magpie" sim "$broken/deep.so" --seeds 10 > "$work/text" 2>&1
same "exit status of deep" 1 $?
same "what deep did" 1 "$(grep -c 'it crashed: stack overflow' "$work/text")"

"$magpie" sim "$broken/holds.so" --seeds 10 --timeout 1 > "$work/text" 2>&1
same "exit status of holds" 1 $?
grep -q 'holds its worker: no point for 0.5 s' "$work/text" || fault "what holds did: $(cat "$work/text")"
line=$(grep '^replay: ' "$work/text")
same "replay of holds" "1 ${line##* hash }" "$(replayed "${line/ hash/ --timeout 1 hash}")"

# a name that the shell would take apart
cp "$broken/leaves.so" "$work/it's a program.so"
"$magpie" sim "$work/it's a program.so" --seeds 10000 > "$work/text" 2>&1
line=$(sed -n "s|^replay: magpie|$magpie|p" "$work/text")
bash -c "$line" > "$work/again" 2>&1
same "what was replayed" "$(grep '^replay: ' "$work/text")" "$(grep '^replay: ' "$work/again")"

# a parent that ignores SIGCHLD, or a variable that names a seed, must not hide a failure
(trap '' CHLD && exec "$magpie" sim "$any" --seeds 400) > "$work/text" 2>&1
same "exit status with SIGCHLD ignored" 1 $?
MAGPIE_SIM=seed=1 "$magpie" sim "$any" --seeds 400 > "$work/text" 2>&1
same "exit status with MAGPIE_SIM set" 1 $?
finish
