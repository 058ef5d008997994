#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check-locals reports what is marked in the bad fixture, nothing else, and nothing of the good one.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
fixtures=$root/tests/tools/fixtures
check=$root/tools/check-locals

expect_clean "good.c" "$check" "$fixtures/locals_good.c"

bad=$fixtures/locals_bad.c
"$check" "$bad" > "$scratch/out" && fail "bad.c: passed"
while IFS=: read -r line text; do
	cases=$((cases + 1))
	want=$(sed -E 's/.*\/\* fault: (.*) \*\/.*/\1/' <<< "$text")
	grep -qF -- "$bad:$line:" "$scratch/out" || fail "line $line: not reported: $want"
	grep -F -- "$bad:$line:" "$scratch/out" | grep -qF -- "$want" || fail "line $line: does not say: $want"
done < <(grep -n 'fault: ' "$bad")
while IFS=: read -r _ line text; do
	sed -n "${line}p" "$bad" | grep -q 'fault: ' || fail "line $line: reported, but good: $text"
done < "$scratch/out"

# Markdown: the C fences alone, with the lines of the file
{
	printf 'Text with MAG_TASK(x) { return 1; }\n\n```sh\nMAG_TASK(x) { return 1; }\n```\n\n```c\n'
	sed '/SPDX/d' "$fixtures/locals_good.c"
	printf '```\n'
} | put good.md
expect_clean "good.md" "$check" "$scratch/tree/good.md"
printf 'Text\n\n```c\nMAG_TASK(x)\n{\n\tint n = 1;\n\tMAG_YIELD(self->rc);\n\tuse(n);\n}\n```\n' | put bad.md
expect_fault "bad.md" "bad.md:8: local 'n' of line 6 is lost at MAG_YIELD on line 7" "$check" "$scratch/tree/bad.md"
expect_fault "missing file" "no such file" "$check" "$scratch/tree/none.c"

finish
