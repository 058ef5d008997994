#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The scripts that test `magpie serve`, with a command that cannot: what is skipped counts as skipped, and nothing is
# skipped that is a fault. tools/count-tests counts, as it does for tools/check.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
mkdir -p "$scratch/tmp" "$scratch/bin" "$scratch/none" "$scratch/build"
export TMPDIR=$scratch/tmp

# A magpie that does not start.
cat > "$scratch/bin/magpie" << 'END'
#!/bin/sh
case $1 in
doctor) echo "magpie cannot run here" ;;
*) echo "magpie $1: cannot start: for some reason" >&2 ;;
esac
exit 1
END
chmod +x "$scratch/bin/magpie"

# verdict NAME PASSED FAILED SKIPPED COMMAND...: what is counted of a ctest that runs the command as tests/scripts are run
verdict()
{
	local name=$1 want="$2 $3 $4"
	shift 4
	cases=$((cases + 1))
	{
		printf 'add_test(it'
		printf ' "%s"' "$@"
		printf ')\nset_tests_properties(it PROPERTIES SKIP_RETURN_CODE 77)\n'
	} > "$scratch/build/CTestTestfile.cmake"
	ctest --test-dir "$scratch/build" --output-junit junit.xml > "$scratch/out" 2>&1 || true
	"$root/tools/count-tests" "$scratch/build" > "$scratch/counts"
	[[ $(head -n 1 "$scratch/counts") == "$want" ]] || fail "$name: wanted $want: $(cat "$scratch/counts")"
	[[ -z $(ls "$scratch/tmp") ]] || fail "$name: left behind: $(ls "$scratch/tmp")"
}

# script LINE...: a script that starts as those do
script()
{
	printf 'source "%s/tests/scripts/serve.bash"\n' "$root" > "$scratch/it.sh"
	printf '%s\n' "$@" >> "$scratch/it.sh"
	echo "$scratch/it.sh"
}

verdict "passes" 1 0 0 bash "$(script 'finish')" "$scratch/bin"
verdict "a fault" 0 1 0 bash "$(script 'fault one' 'finish')" "$scratch/bin"
verdict "a skip" 0 0 1 bash "$(script 'skip reason' 'finish')" "$scratch/bin"
verdict "a fault before a skip" 0 1 1 bash "$(script 'fault one' 'skip reason')" "$scratch/bin"
verdict "an error" 0 1 0 bash "$(script 'echo "$unset"' 'finish')" "$scratch/bin"
verdict "no end" 0 1 0 bash "$(script ':')" "$scratch/bin"
verdict "no tool" 0 0 1 bash "$(script 'need no-such-tool' 'finish')" "$scratch/bin"
verdict "no command" 0 0 1 bash "$(script 'finish')" "$scratch/none"
verdict "a server that does not start" 0 1 0 bash "$(script 'start' 'finish')" "$scratch/bin"
verdict "a demo that does not start" 0 1 0 bash "$root/tests/scripts/serve_demo.sh" "$scratch/bin"
finish
