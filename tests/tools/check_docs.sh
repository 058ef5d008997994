#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check-docs passes this tree and a good one, and finds each fault that is planted.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
check=("$root/tools/check-docs" --root "$scratch/tree")

good_tree()
{
	rm -rf "$scratch/tree"
	printf '/* SPDX */\n#include <magpie/magpie.h>\nint main(void)\n{\n\treturn 0;\n}\n' | put examples/hello.c
	printf 'struct a {\n\tint n;\n\tint m;\n};\n\nint last;\n' | put examples/other.c
	printf '# x\n\n```c\n%s\n```\n\n[guide](docs/guide.md) `examples/hello.c`\n' \
		"$(tail -n +2 "$scratch/tree/examples/hello.c")" | put README.md
	printf '```c\n/* examples/other.c: the middle */\nint n;\nint m;\n/* … */\nint last;\n```\n' | put docs/guide.md
}

# planted NAME TEXT PAGE LINE...: the lines are added to the page
planted()
{
	local name=$1 text=$2 page=$3
	shift 3
	good_tree
	printf '%s\n' "$@" >> "$scratch/tree/$page"
	expect_fault "$name" "$text" "${check[@]}"
}

expect_clean "this tree" "$root/tools/check-docs"
good_tree
expect_clean "good tree" "${check[@]}"

planted "no name" "docs/guide.md:8: the fence does not begin" docs/guide.md '```c' 'int n;' '```'
planted "no such file" "there is no examples/none.c" docs/guide.md '```c' '/* examples/none.c */' 'int n;' '```'
planted "other text" "not in examples/other.c|int k;" docs/guide.md '```c' '/* examples/other.c */' 'int k;' '```'
planted "wrong order" "from 'int n;' on" docs/guide.md '```c' '/* examples/other.c */' 'int m;' '/* … */' 'int n;' '```'
planted "lines apart" "from 'int n;' on" docs/guide.md '```c' '/* examples/other.c */' 'int n;' 'int last;' '```'
planted "dead link" "README.md:12: the link to docs/none.md leads nowhere" README.md '[x](docs/none.md#part)'
planted "dead path" "README.md:12: there is no src/none.c" README.md 'see `src/none.c`'
good_tree
sed -i 's/return 0/return 1/' "$scratch/tree/examples/hello.c"
expect_fault "hello differs" "README.md:3: is not examples/hello.c" "${check[@]}"

finish
