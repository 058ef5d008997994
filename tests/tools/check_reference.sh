#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/make-reference: the pages of this tree are those of its headers, and --check finds each fault that is planted.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
make=("$root/tools/make-reference" --root "$scratch/tree")
check=("${make[@]}" --check)

good_tree()
{
	rm -rf "$scratch/tree"
	put include/magpie/lamp.h <<- 'END'
		/* SPDX-License-Identifier: MIT */
		/* lamp.h - a lamp.
		 *
		 *	mag_lamp_on(&lamp);
		 */
		#ifndef MAGPIE_LAMP_H
		#define MAGPIE_LAMP_H

		MAG_API mag_frame *magi_lamp_wait(mag_worker *w, mag_frame *f);

		/* Lights it.
		 *
		 * Threads:  any
		 * Returns:  0, or -EIO when
		 *           it is broken */
		MAG_API int mag_lamp_on(mag_lamp *lamp);
		MAG_API int mag_lamp_off(mag_lamp *lamp);

		/* MAG_AWAIT(rc, mag_lamp_lit, &lamp): waits.  Threads: any worker */
		MAG_API MAG_OP mag_lamp_lit(MAG_OP_ARGS, mag_lamp *lamp);

		/* Blinks. */
		#define MAG_BLINK(dst, lamp) MAGI_BLINK(dst, lamp)

		/* MAG_CALL(rc, mag_lamp_fade, .lamp = l): fades. */
		struct mag_lamp_fade {
			mag_frame frame;
			MAG_ARGS(mag_lamp_fade, mag_lamp *lamp; uint64_t ns;);
		};
		MAG_API MAG_DECLARE_TASK(mag_lamp_fade);

		/* Whether it is lit. */
		MAGI_FAST bool mag_lamp_is_lit(const mag_lamp *lamp)
		{
			return lamp->lit;
		}
		#endif
	END
	"${make[@]}"
}

# page TEXT: the page of lamp.h has it
page()
{
	cases=$((cases + 1))
	grep -qxF -- "$1" "$scratch/tree/docs/reference/lamp.md" || fail "the page has no line: $1"
}

# planted NAME TEXT LINE...: the lines are added to the header, whose page is made anew
planted()
{
	local name=$1 text=$2
	shift 2
	good_tree
	printf '%s\n' "$@" >> "$scratch/tree/include/magpie/lamp.h"
	"${make[@]}" > /dev/null || true
	expect_fault "$name" "$text" "${check[@]}"
}

expect_clean "this tree" "$root/tools/make-reference" --check
good_tree
expect_clean "good tree" "${check[@]}"
page '# magpie/lamp.h'
page '## mag_lamp_on, mag_lamp_off'
page '- **Returns**: 0, or `-EIO` when it is broken'
page 'MAG_AWAIT(dst, mag_lamp_lit, mag_lamp *lamp)'
page 'MAG_BLINK(dst, lamp)'
page 'MAG_CALL(dst, mag_lamp_fade, .lamp = <mag_lamp *>, .ns = <uint64_t>)'
page 'bool mag_lamp_is_lit(const mag_lamp *lamp);'
cases=$((cases + 1))
! grep -q magi_ "$scratch/tree/docs/reference/lamp.md" || fail "the page tells of what is not public"

planted "function" "lamp.h:39: mag_lamp_sell has no comment" '' 'MAG_API int mag_lamp_sell(mag_lamp *lamp);'
planted "operation" "mag_lamp_out has no comment" '' 'MAG_API MAG_OP mag_lamp_out(MAG_OP_ARGS, mag_lamp *lamp);'
planted "inline function" "mag_lamp_n has no comment" '' 'MAGI_FAST int mag_lamp_n(void)' '{' '	return 1;' '}'
planted "verb" "MAG_DIM has no comment" '' '#define MAG_DIM(dst) MAGI_DIM(dst)'
planted "small macro" "mag_lamp_new has no comment" '' '#define mag_lamp_new(lamp) magi_lamp_new(lamp)'
planted "comment apart" "mag_lamp_sell has no comment" '' '/* Sells it. */' '' 'MAG_API int mag_lamp_sell(mag_lamp *lamp);'
good_tree
sed -i 's/Lights it/Kindles it/' "$scratch/tree/include/magpie/lamp.h"
expect_fault "stale page" "docs/reference/lamp.md: stale" "${check[@]}"
good_tree
rm "$scratch/tree/docs/reference/lamp.md"
expect_fault "missing page" "docs/reference/lamp.md: missing" "${check[@]}"
good_tree
echo 'x' > "$scratch/tree/docs/reference/torch.md"
expect_fault "page too many" "docs/reference/torch.md: no header has this page" "${check[@]}"

finish
