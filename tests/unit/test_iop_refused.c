/* SPDX-License-Identifier: MIT */
/* test_iop_refused.c - cancels that the backend refuses for want of memory. The test plays worker and backend. */
#include "crew.h"

#include "base/clock.h"
#include "task/iop.h"

struct stingy {
	uint64_t token; /* of the request under way; 0: none */
	int refusals;   /* so many cancels find no memory */
	int cancels;
	bool cancelled;
	uint64_t deadline; /* of the last poll */
};

static struct stingy stingy;

static void stingy_submit(struct magi_io *io, const struct magi_req *req)
{
	(void)io;
	stingy.token = req->token;
}

static bool stingy_cancel(struct magi_io *io, uint64_t token)
{
	(void)io;
	stingy.cancels++;
	if (stingy.refusals) {
		stingy.refusals--;
		return false;
	}
	stingy.cancelled |= token == stingy.token;
	return true;
}

static int stingy_poll(struct magi_io *io, uint64_t deadline, struct magi_rec *recs, int max)
{
	(void)io;
	cr_assert(max > 0);
	stingy.deadline = deadline;
	if (!stingy.cancelled)
		return 0;
	stingy.cancelled = false;
	recs[0] = (struct magi_rec){ .token = stingy.token, .res = -ECANCELED };
	return 1;
}

static const struct magi_io_ops stingy_ops = {
	.name = "stingy",
	.submit = stingy_submit,
	.cancel = stingy_cancel,
	.poll = stingy_poll,
	.now = crew_now,
	.wake = crew_wake,
};

static int ended; /* operations */

static void deliver(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec)
{
	(void)rec;
	magi_slot_give(&w->slots, s);
	ended++;
}

/* One operation under way. */
static struct magi_worker *begin(struct crew *c, int refusals)
{
	struct magi_req req = { .code = MAGI_IO_RECV };
	struct magi_worker *w;

	crew_init(c, 1);
	w = c->w[0];
	w->ops = &stingy_ops;
	stingy = (struct stingy){ .refusals = refusals };
	ended = 0;
	c->bell[0].now = 1000;
	cr_assert_not_null(magi_io_start(w, &req, NULL, NULL, deliver));
	return w;
}

/* Tried: a cancel that was refused and forgotten; a sleep without a limit while one waits to be asked for again. */
Test(iop_refused, a_cancel_is_asked_for_again_after_a_short_sleep, .timeout = 5)
{
	struct crew c;
	struct magi_worker *w = begin(&c, 2);

	magi_slot_mail(&w->slots, stingy.token);
	for (int i = 1; i <= 2; i++) {
		magi_io_read_mail(w);
		cr_assert_eq(stingy.cancels, i);
		magi_io_poll(w, MAGI_NEVER);
		cr_assert_gt(stingy.deadline, 1000);
		cr_assert_leq(stingy.deadline, 1000 + 10 * MAGI_NS_PER_MS);
		magi_io_poll(w, 1500);
		cr_assert_eq(stingy.deadline, 1500, "it was soon enough");
		magi_io_poll(w, 0);
		cr_assert_eq(stingy.deadline, 0);
	}
	magi_io_read_mail(w);
	cr_assert_eq(stingy.cancels, 3);
	magi_io_poll(w, MAGI_NEVER);
	cr_assert_eq(stingy.deadline, MAGI_NEVER);
	cr_assert_eq(ended, 1);
	crew_fini(&c);
}

/* Tried: a name that is asked for without a look at its generation. */
Test(iop_refused, a_refused_cancel_is_void_when_the_operation_has_ended_by_itself, .timeout = 5)
{
	struct crew c;
	struct magi_worker *w = begin(&c, 1);
	struct magi_req req = { .code = MAGI_IO_RECV };

	magi_io_cancel(w, stingy.token);
	stingy.cancelled = true;
	magi_io_poll(w, 0);
	cr_assert_eq(ended, 1);
	cr_assert_not_null(magi_io_start(w, &req, NULL, NULL, deliver)); /* in the same slot */
	magi_io_read_mail(w);
	cr_assert_eq(stingy.cancels, 1);
	magi_io_drain(w);
	cr_assert_eq(ended, 2);
	crew_fini(&c);
}

/* Tried: a drain that asks once. */
Test(iop_refused, a_drain_ends_what_could_not_be_cancelled_at_first, .timeout = 5)
{
	struct crew c;
	struct magi_worker *w = begin(&c, 5);

	magi_io_drain(w);
	cr_assert_eq(ended, 1);
	cr_assert_eq(stingy.cancels, 6);
	crew_fini(&c);
}
