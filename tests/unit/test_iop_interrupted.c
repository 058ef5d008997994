/* SPDX-License-Identifier: MIT */
/* test_iop_interrupted.c - operations that end with -EINTR: a signal came to the kernel's thread that was at it. The test
 * plays worker and backend. */
#include "crew.h"

#include "task/iop.h"

static struct magi_req submitted[8];
static int submissions;
static int32_t answer; /* to the last one, at the next poll */

static void note(struct magi_io *io, const struct magi_req *req)
{
	(void)io;
	submitted[submissions++] = *req;
}

static int tell(struct magi_io *io, uint64_t deadline, struct magi_rec *recs, int max)
{
	(void)io;
	(void)deadline;
	cr_assert(max > 0 && submissions > 0);
	recs[0] = (struct magi_rec){ .token = submitted[submissions - 1].token, .res = answer };
	return 1;
}

static const struct magi_io_ops telling_ops = { .name = "telling", .submit = note, .poll = tell, .wake = crew_wake };

static struct crew crew;
static mag_frame task;

/* A task that waits for this request. */
static struct magi_worker *begin(struct magi_req req)
{
	crew_init(&crew, 1);
	crew.w[0]->ops = &telling_ops;
	crew_frame(&task, MAGI_SPAWN);
	submissions = 0;
	cr_assert_eq(magi_io_submit(&crew.w[0]->pub, &task, &req, NULL, 0, NULL, NULL), 0);
	return crew.w[0];
}

static void poll_with(struct magi_worker *w, int32_t res)
{
	answer = res;
	magi_io_poll(w, 0);
}

static bool resumed(const struct magi_worker *w)
{
	return w->slots.used == 0;
}

/* Tried: the await gives -EINTR. */
Test(iop_interrupted, it_is_submitted_again_as_it_was, .timeout = 5)
{
	char byte;
	struct magi_worker *w = begin((struct magi_req){ .code = MAGI_IO_READ, .fd = 7, .addr = &byte, .len = 1,
							 .offset = 11 });

	for (int i = 1; i < 4; i++) {
		poll_with(w, -EINTR);
		cr_assert(!resumed(w));
		cr_assert_eq(submissions, i + 1);
		cr_assert_eq(memcmp(&submitted[i], &submitted[0], sizeof(submitted[0])), 0);
	}
	poll_with(w, 1);
	cr_assert(resumed(w));
	cr_assert_eq(task.op.result, 1);
	crew_fini(&crew);
}

/* Tried: submitted again without a look at the task: its cancel was the signal, and no other comes. */
Test(iop_interrupted, it_ends_when_the_task_was_cancelled, .timeout = 5)
{
	struct magi_worker *w = begin((struct magi_req){ .code = MAGI_IO_OPEN, .fd = -1 });

	poll_with(w, -EINTR);
	cr_assert(!resumed(w));
	task.state |= MAGI_CANCEL;
	poll_with(w, -EINTR);
	cr_assert(resumed(w));
	cr_assert_eq(submissions, 2);
	cr_assert_eq(task.op.result, MAG_ECANCELED);
	crew_fini(&crew);
}

/* The first one goes on in the background: a second would be told EALREADY. */
Test(iop_interrupted, a_connect_is_not_repeated, .timeout = 5)
{
	struct magi_worker *w = begin((struct magi_req){ .code = MAGI_IO_CONNECT, .fd = 7 });

	poll_with(w, -EINTR);
	cr_assert(resumed(w));
	cr_assert_eq(submissions, 1);
	cr_assert_eq(task.op.result, -EINTR);
	crew_fini(&crew);
}
