/* SPDX-License-Identifier: MIT */
/* budget.c - a count that calls fill and calls that are made again take from.
 *
 * Who:     any thread.
 * Always:  0 <= left <= burst: what would be above is gone. Nothing else hangs on it: no order is needed.
 * Not:     a window of time, which would let calls be made again when there are no others. */
#include <errno.h>
#include <magpie/budget.h>
#include <magpie/impl/atomic.h>

enum { CALL = 100 };

int mag_budget_init(mag_budget *b, uint32_t percent, uint32_t burst)
{
	if (percent > MAG_BUDGET_PERCENT_MAX || burst == 0 || burst > MAG_BUDGET_BURST_MAX)
		return -EINVAL;
	*b = (mag_budget)MAG_BUDGET_INIT(percent, burst);
	return 0;
}

static void add(mag_budget *b, uint64_t n)
{
	uint64_t most = (uint64_t)b->burst * CALL, was = magi_load_rlx(&b->left); /* [stat] */

	while (was < most && !magi_cas_rlx(&b->left, &was, was + n < most ? was + n : most)) /* [stat] */
		;
}

void mag_budget_call(mag_budget *b)
{
	add(b, b->percent);
}

void mag_budget_give_back(mag_budget *b)
{
	add(b, CALL);
}

int mag_budget_take(mag_budget *b)
{
	uint64_t was = magi_load_rlx(&b->left); /* [stat] */

	do {
		if (was < CALL)
			return -EAGAIN;
	} while (!magi_cas_rlx(&b->left, &was, was - CALL)); /* [stat] */
	return 0;
}

uint32_t mag_budget_left(const mag_budget *b)
{
	return (uint32_t)(magi_load_rlx(&b->left) / CALL); /* [stat] */
}
