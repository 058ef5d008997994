/* SPDX-License-Identifier: MIT */
/* test_report_unread.c - debug mode: what is kept of errors that nobody has asked for yet, and for how long. */
#include "hear.h"

#include <magpie/group_errors.h>

#include "base/fault.h"

static struct heard heard;

static uint32_t notes(mag_worker *w)
{
	struct magi_reminders *all = &magi_runtime_of(w)->debug->reminders;
	uint32_t n = 0;

	for (int b = 0; b < MAGI_REMINDER_BUCKETS; b++) {
		magi_lock_acquire(&all->bucket[b].lock);
		for (const struct magi_reminder *r = all->bucket[b].first; r; r = r->next)
			n++;
		magi_lock_release(&all->bucket[b].lock);
	}
	return n;
}

/* A background in which much goes wrong. */

enum { FAILS = 5 * MAG_GROUP_ERRORS_MAX };

static mag_handle handles[FAILS];

struct fails_often {
	mag_frame frame;
	MAG_ARGS(fails_often, bool named; int asks;);
	int64_t rc;
	int i;
};

MAG_TASK(fails_often)
{
	MAG_BEGIN(fails_often);
	for (self->i = 0; self->i < FAILS; self->i++) {
		if (self->named)
			MAG_SPAWN_AS(self->rc, &handles[self->i], mag_background(mag_runtime_current()), idler,
				     .result = -EPIPE);
		else
			MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), idler, .result = -EPIPE);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_MILLISECOND);
	for (self->i = 0; self->named && self->i < FAILS; self->i++)
		MAG_AWAIT(self->rc, mag_sleep, mag_handle_done(&handles[self->i]) ? 0 : 20 * MAG_MILLISECOND);
	/* one by one, and one for all others; two workers at the same time may each make one */
	CHECK(notes(w) >= 1 && notes(w) <= MAG_GROUP_ERRORS_MAX + 1 + 2);
	for (self->i = 0; self->i < self->asks; self->i++)
		CHECK(mag_handle_result(&handles[self->i]) == -EPIPE);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: magi_reminder_put for all of them. */
Test(report, errors_of_a_background_are_counted_in_bounded_room, .timeout = 20)
{
	hear_begin(&heard);
	cr_assert_eq(HEAR(&heard, 2, fails_often, .named = false), 0);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	cr_assert_eq(heard.report[0].count, FAILS, "%s", heard_all(&heard));
}

/* Tried: nothing taken off the note that stands for many. */
Test(report, errors_of_many_handles_are_counted_in_bounded_room, .timeout = 20)
{
	for (int asks = 0; asks <= FAILS; asks += FAILS / 5) {
		hear_begin(&heard);
		cr_assert_eq(HEAR(&heard, 2, fails_often, .named = true, .asks = asks), 0);
		cr_assert_eq(heard.n, asks < FAILS, "%s", heard_all(&heard));
		if (asks < FAILS)
			cr_assert_eq(heard.report[0].count, FAILS - asks, "%s", heard_all(&heard));
	}
}

/* Somebody who is no worker asks, and one of another runtime. */

struct names_one {
	mag_frame frame;
	MAG_ARGS(names_one, mag_handle *handle;);
	int64_t rc;
};

MAG_TASK(names_one)
{
	MAG_BEGIN(names_one);
	MAG_SPAWN_AS(self->rc, self->handle, mag_background(mag_runtime_current()), idler, .result = -EPIPE);
	while (!mag_handle_done(self->handle))
		MAG_YIELD(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

struct asks_for {
	mag_frame frame;
	MAG_ARGS(asks_for, mag_handle *handle;);
};

MAG_TASK(asks_for)
{
	MAG_BEGIN(asks_for);
	MAG_RETURN(mag_handle_result(self->handle) == -EPIPE ? 0 : -EBADMSG);
	MAG_END;
}

static void run_in(mag_runtime *rt, mag_handle *handle)
{
	mag_future done;
	int64_t rc;

	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, names_one, .handle = handle), 0);
	cr_assert_eq(mag_future_wait(&done, &rc, MAG_NEVER), 0);
	cr_assert_eq(rc, 0);
	mag_future_fini(&done);
}

enum who { NO_ONE, A_THREAD, ANOTHER_RUNTIME, A_THREAD_LATER, WHO_MAX };

/* Tried: the note looked for in the caller's own runtime only. */
Test(report, error_of_a_handle_is_heard_by_any_thread, .timeout = 20)
{
	for (enum who who = NO_ONE; who < WHO_MAX; who++) {
		mag_runtime_options options = { .size = sizeof(options), .workers = 2, .debug = &heard.options };
		mag_handle handle;
		mag_runtime *rt;

		hear_begin(&heard);
		cr_assert_eq(mag_runtime_create(&options, &rt), 0);
		run_in(rt, &handle);
		if (who == A_THREAD)
			cr_assert_eq(mag_handle_result(&handle), -EPIPE);
		if (who == ANOTHER_RUNTIME)
			cr_assert_eq(HEAR_REAL(&heard, 1, asks_for, .handle = &handle), 0);
		cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
		if (who == A_THREAD_LATER)
			cr_assert_eq(mag_handle_result(&handle), -EPIPE); /* too late, and no harm */
		cr_assert_eq(heard.n, who == NO_ONE || who == A_THREAD_LATER, "%d: %s", (int)who, heard_all(&heard));
	}
}

/* A list that has found no memory is dropped by nobody. */

struct twice {
	mag_frame frame;
	MAG_NO_ARGS(twice);
	mag_group group;
	int64_t rc;
	int round;
};

MAG_TASK(twice)
{
	MAG_BEGIN(twice);
	for (self->round = 0; self->round < 2; self->round++) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		MAG_SPAWN(self->rc, &self->group, idler, .result = -EPIPE);
		if (self->round == 0)
			magi_fault_set(MAGI_FAULT_MEMORY, 2, ENOMEM); /* the first is the note */
		MAG_GROUP_END(self->rc, &self->group);
		CHECK(self->group.errors == 1 && !!self->group.error_all == self->round);
	}
	magi_fault_clear();
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: magi_unread_heard left out of finish. */
Test(report, errors_without_memory_for_a_list_are_not_the_next_groups, .timeout = 20)
{
	hear_begin(&heard);
	cr_assert_eq(HEAR(&heard, 1, twice), 0);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	cr_assert_eq(heard.report[0].count, 1, "%s", heard_all(&heard));
}
