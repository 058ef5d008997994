# SPDX-License-Identifier: MIT
# For the tests of the checking scripts: cases are counted, each fault is said, `finish` gives the verdict.

cases=0 failures=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail()
{
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# put FILE < content: writes a file of the scratch tree
put()
{
	mkdir -p "$scratch/tree/$(dirname "$1")"
	cat > "$scratch/tree/$1"
}

# expect_clean NAME COMMAND...: the command succeeds and prints nothing
expect_clean()
{
	local name=$1 output
	shift
	cases=$((cases + 1))
	if ! output=$("$@" 2>&1) || [[ -n $output ]]; then
		fail "$name: a good tree is not passed: $output"
	fi
}

# expect_fault NAME TEXT[|TEXT]... COMMAND...: the command fails and prints one line, which has the texts
expect_fault()
{
	local name=$1 texts text output
	IFS='|' read -ra texts <<< "$2"
	shift 2
	cases=$((cases + 1))
	if output=$("$@" 2>&1); then
		fail "$name: the planted fault is passed"
		return
	fi
	for text in "${texts[@]}"; do
		[[ $output == *"$text"* ]] || fail "$name: wanted '$text', got: $output"
	done
	[[ $(wc -l <<< "$output") == 1 ]] || fail "$name: one fault, several lines: $output"
}

finish()
{
	echo "$cases cases, $failures failed"
	exit $((failures > 0))
}
