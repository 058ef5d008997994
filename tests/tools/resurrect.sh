#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each bug of tests/bugs can be put back, each rule is held by something, docs/resurrect.md is up to date; and what is wrong
# with a bug is said.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"

expect_clean "this tree" "$root/tools/resurrect" --check

# A tree with one bug, one rule and one page.
mkdir -p "$scratch/tree/tools" "$scratch/tree/tests/model/faults"
cp "$root/tools/resurrect" "$scratch/tree/tools/"
mkdir -p "$scratch/tree/include" "$scratch/tree/tools/magpie"
cp "$root/tests/model/faults/plant.sh" "$scratch/tree/tests/model/faults/"
check=("$scratch/tree/tools/resurrect" --check)

good_tree()
{
	printf 'int n = 1;\n' | put src/a/a.c
	printf '%s\n' '# SPDX-License-Identifier: MIT' '# n: two.' '# file: src/a/a.c' '# test: unit.a' 's/1/2/' \
		| put tests/bugs/two.sed
	printf '%s\n' '== A' '' 'n is one' '\tbug two' '\tabsent two IN src/a/*.c' | sed 's/\\t/\t/' | put tests/bugs/rules
	printf '# x\n\n<!-- rules -->\n' | put docs/resurrect.md
	"$scratch/tree/tools/resurrect" --page
}

# put_back NAME: as CMake does it
put_back()
{
	(cd "$scratch/tree" && sh "$root/tests/bugs/put_back.sh" "$1" "$scratch/copy")
}

good_tree
expect_clean "good tree" "${check[@]}"
printf 'int n = 3;\n' | put src/a/a.c
expect_fault "the source has changed" "the bug must follow" "${check[@]}"
expect_fault "the source has changed, for CMake" "changes 0 of these" put_back two
good_tree
printf '/* two */ int n = 1;\n' | put src/a/a.c
expect_fault "what is to be absent is there" "does not hold" "${check[@]}"
good_tree
printf '%s\n' 'another' >> "$scratch/tree/tests/bugs/rules"
expect_fault "a rule that nothing shows" "nothing shows: another" "${check[@]}"
good_tree
cp "$scratch/tree/tests/bugs/two.sed" "$scratch/tree/tests/bugs/three.sed"
expect_fault "a bug of no rule" "no rule names it" "${check[@]}"
rm "$scratch/tree/tests/bugs/three.sed"
good_tree
echo more >> "$scratch/tree/docs/resurrect.md"
expect_fault "an old page" "not what" "${check[@]}"
good_tree
expect_fault "a bug that is not there" "there is no tests/bugs/four.sed" put_back four

good_tree
put_back two
grep -q 'n = 2' "$scratch/copy/src/a/a.c" || fail "the copy has no bug"
put_back none
grep -q 'n = 1' "$scratch/copy/src/a/a.c" || fail "the copy has the bug still"
finish
