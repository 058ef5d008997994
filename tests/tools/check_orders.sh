#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check-orders passes a good tree, and finds each fault that is planted in it.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
check=("$root/tools/check-orders" --root "$scratch/tree")

good_tree()
{
	rm -rf "$scratch/tree"
	put include/magpie/impl/atomic.h <<< '#define magi_load_acq(p) magi_load_rlx(p)'
	put include/magpie/deque.h <<- 'END'
		/* magi_load_acq without a label, in a comment */
		static inline void push(long *bottom, long b)
		{
			magi_store_rel(bottom, b); /* [publish] the frame's contents */
		}
	END
	put src/sched/deque.c <<- 'END'
		long steal(long *bottom)
		{
			const char *text = "magi_load_seq(p)";
			/* [publish] the pair is in
			 * the public header */
			return magi_load_acq(
				bottom) + magi_load_rlx(&count); /* [stat] */
		}
		long pop(long *bottom)
		{
			long b = magi_load_rlx(bottom); /* [own] */
			return magi_cas_seq(bottom, &b, b + 1); /* [last] both ends in one */
		}
		int both(long *bottom)
		{
			return magi_load_acq(bottom) == magi_load_rlx(&mine); /* [publish] [own] */
		}
		#define WRAP(p) \
			/* [publish] */ \
			magi_load_acq(p)
	END
}

# planted TEXT LINES...: appends lines to src/sched/deque.c; the fault must say the text
planted()
{
	local text=$1
	shift
	good_tree
	printf '%s\n' "$@" >> "$scratch/tree/src/sched/deque.c"
	expect_fault "$*" "$text" "${check[@]}"
}

good_tree
expect_clean "good tree" "${check[@]}"

planted "src/sched/deque.c:21: magi_load_acq has no [label]" 'long a(long *p) { return magi_load_acq(p); }'
planted "magi_load_rlx has no [label]" '/* no label */' 'long a(long *p) { return magi_load_rlx(p); }'
planted "magi_load_acq has no [label]" '/* [publish] */' '' 'long a(long *p) { return magi_load_acq(p); }'
planted "deque.c:22: magi_load_acq has no [label]" 'magi_load_acq(p); /* [publish] */' 'magi_load_acq(p);'
planted "magi_store_rel under [own], which is for relaxed only" 'magi_store_rel(p, 1); /* [own] */'
planted "magi_add_seq under [stat]" 'magi_add_seq(p, 1); /* [stat] */'
planted "[alone] has no operation that acquires" 'magi_store_rel(p, 1); /* [alone] */'
planted "[alone] has no operation that releases" 'magi_load_acq(p); /* [alone] */'
good_tree
sed -i 's/magi_store_rel(bottom, b)/magi_store_rlx(bottom, b)/' "$scratch/tree/include/magpie/deque.h"
expect_fault "a release made relaxed" "[publish] has no operation that releases" "${check[@]}"

finish
