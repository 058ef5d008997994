/* SPDX-License-Identifier: MIT */
/* test_stress_queues.c - queues of all kinds, oneshots, watches and broadcasts many times at once on real threads,
 * delayed, moved and cancelled at random: the ledger of what was handed over ends at zero. */
#include <criterion/criterion.h>

#include <magpie/stress.h>

#include "support/trade.h"

Test(stress_queues, what_is_handed_over_is_there_once, .timeout = 120)
{
	static const mag_stress_options brief = { .size = sizeof(brief), .workers = 3, .ns = 60 * MAG_MILLISECOND,
						  .limit_ns = 60 * MAG_SECOND, .quiet = true };

	for (int kind = 0; kind < 4; kind++) {
		mag_stress_result r;

		cr_assert_eq(mag_stress_into(&r, &brief, trade, .kind = kind), 0, "kind %d: %s", kind, r.failure);
		cr_assert_gt(r.runs, 20);
		cr_assert_gt(r.cancelled, 2);
	}
}
