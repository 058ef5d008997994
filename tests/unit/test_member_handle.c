/* SPDX-License-Identifier: MIT */
/* test_member_handle.c - when the memory of a handle is the caller's again, and who may wait for it. */
#include "gates.h"

#include <string.h>

#include "task/wait.h"

enum { MEMBERS = 12, FILLING = 0x5a };

/* What was given back is filled: whoever still writes there is found out, also without AddressSanitizer. */
static void fill(void *memory, size_t size)
{
	memset(memory, FILLING, size);
}

static bool is_filled(const void *memory, size_t size)
{
	const unsigned char *byte = memory;

	while (size && *byte == FILLING) {
		byte++;
		size--;
	}
	return !size;
}

struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	if (self->ns)
		MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->result);
	MAG_END;
}

/* Starts members one by one and waits for each; its handle is given back then. */
struct tenants {
	mag_frame frame;
	MAG_ARGS(tenants, bool background; uint64_t work; uint64_t late; mag_handle *handle;);
	mag_group own, *group;
	int64_t rc;
	int i;
};

MAG_TASK(tenants)
{
	MAG_BEGIN(tenants);
	MAG_GROUP_BEGIN(&self->own);
	self->group = self->background ? mag_background(mag_runtime_current()) : &self->own;
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], self->group, sleeper, .ns = self->work,
			     .result = self->i);
		CHECK(self->rc == 0);
		if (self->late)
			MAG_AWAIT(self->rc, mag_sleep, self->late);
		MAG_AWAIT(self->rc, mag_handle_wait, &self->handle[self->i]);
		CHECK(self->rc == self->i);
		fill(&self->handle[self->i], sizeof(*self->handle));
	}
	MAG_GROUP_END(self->rc, &self->own);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: every ended member's handle listed for mag_group_next, waited for or not; mag_handle_wait that leaves it in the
 * list: the next member's end writes into the one before. */
Test(member_handle, once_waited_for_its_memory_is_the_callers_again, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (int kind = 0; kind < 8; kind++) {
			mag_handle handle[MEMBERS];

			cr_assert_eq(RUN(n, tenants, .background = kind & 1, .work = kind & 2 ? REST : 0,
					 .late = kind & 4 ? 2 * REST : 0, .handle = handle), 0);
			cr_assert(is_filled(handle, sizeof(handle)), "kind %d", kind);
		}
	}
}

/* The same in the frame of a callee: it is gone when the next one begins in its place. */
struct helper {
	mag_frame frame;
	MAG_ARGS(helper, mag_group *group; int64_t result;);
	mag_handle handle;
	int64_t rc;
};

MAG_TASK(helper)
{
	MAG_BEGIN(helper);
	MAG_SPAWN_AS(self->rc, &self->handle, self->group, sleeper, .result = self->result);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* One handle for all, beside a callee's; nothing of that is left for mag_group_next. */
struct reuse {
	mag_frame frame;
	MAG_NO_ARGS(reuse);
	mag_handle handle, *next;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(reuse)
{
	MAG_BEGIN(reuse);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3 * MEMBERS; self->i++) {
		MAG_CALL(self->rc, helper, .group = &self->group, .result = self->i);
		CHECK(self->rc == self->i);
		MAG_SPAWN_AS(self->rc, &self->handle, &self->group, sleeper, .ns = self->i % 2 * REST,
			     .result = self->i);
		CHECK(self->rc == 0);
		if (self->i % 3 == 0) {
			MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
			CHECK(self->rc == 1 && self->next == &self->handle);
		} else {
			MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
			CHECK(self->rc == self->i);
		}
	}
	MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
	CHECK(self->rc == 0 && !self->next);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: mag_handle_wait that leaves the handle in the list: next gives it for ever. */
Test(member_handle, it_serves_for_one_member_after_the_other, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, reuse), 0);
}

/* Several have finished; some are waited for, whoever finishes later is listed behind those that are left. */
struct picked_out {
	mag_frame frame;
	MAG_NO_ARGS(picked_out);
	mag_handle handle[7], *next;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(picked_out)
{
	static const int waited[] = { 2, 4, 0 }, left[] = { 1, 3, 5, 6 }; /* the middle, the end, the front of 0 to 4 */

	MAG_BEGIN(picked_out);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 7; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, sleeper,
			     .ns = (uint64_t)(self->i < 5 ? self->i + 1 : self->i + 2) * REST, .result = self->i);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_sleep, 6 * REST);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_AWAIT(self->rc, mag_handle_wait, &self->handle[waited[self->i]]);
		CHECK(self->rc == waited[self->i]);
		fill(&self->handle[waited[self->i]], sizeof(mag_handle));
	}
	MAG_AWAIT(self->rc, mag_sleep, 3 * REST);
	for (self->i = 0; self->i < 4; self->i++) {
		MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
		CHECK(self->rc == 1 && self->next == &self->handle[left[self->i]]);
	}
	MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
	CHECK(self->rc == 0 && !self->next);
	for (self->i = 0; self->i < 3; self->i++)
		CHECK(is_filled(&self->handle[waited[self->i]], sizeof(mag_handle)));
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a handle taken out of the list without moving the list's end, or without the back link of the one behind it. */
Test(member_handle, those_that_are_waited_for_leave_the_others_in_their_order, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, picked_out), 0);
}

struct onlooker {
	mag_frame frame;
	MAG_ARGS(onlooker, mag_handle *handle; uint64_t late; int64_t want; uint32_t *saw;);
	int64_t rc;
};

MAG_TASK(onlooker)
{
	MAG_BEGIN(onlooker);
	if (self->late)
		MAG_AWAIT(self->rc, mag_sleep, self->late);
	MAG_AWAIT(self->rc, mag_handle_wait, self->handle);
	CHECK(self->rc == self->want);
	count(self->saw);
	MAG_RETURN(0);
	MAG_END;
}

/* Waits for the next one while others wait for the only two that are still to come. */
struct rival {
	mag_frame frame;
	MAG_ARGS(rival, bool late;);
	mag_group onlookers, group;
	mag_handle handle[2], *next;
	uint32_t saw;
	int64_t rc;
	int i;
};

MAG_TASK(rival)
{
	MAG_BEGIN(rival);
	self->saw = 0;
	MAG_GROUP_BEGIN(&self->onlookers);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 2; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, sleeper,
			     .ns = (uint64_t)(self->i + 2) * REST, .result = 9);
		MAG_SPAWN(self->rc, &self->onlookers, onlooker, .handle = &self->handle[self->i],
			  .late = self->late ? 4 * REST : REST, .want = 9, .saw = &self->saw);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
	CHECK(self->rc == (self->late ? 1 : 0) && self->next == (self->late ? &self->handle[0] : NULL));
	MAG_GROUP_END(self->rc, &self->group);
	MAG_GROUP_END(self->rc, &self->onlookers);
	CHECK(counted(&self->saw) == 2);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: the last one that is waited for does not wake an owner that waits in vain. */
Test(member_handle, it_is_given_to_those_that_wait_for_it_and_not_to_the_owner_too, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, rival, .late = false), 0);
		cr_assert_eq(RUN(n, rival, .late = true), 0); /* the owner has asked first */
	}
}

/* Looks without a pause, for longer than another worker needs to wake and to run a short task. */
static bool watch_for(const mag_handle *handle)
{
	uint64_t end = magi_clock_ns() + 100 * MAG_MICROSECOND;

	do {
		for (int looks = 0; looks < 100; looks++) {
			if (mag_handle_done(handle))
				return true;
		}
	} while (magi_clock_ns() < end);
	return false;
}

/* Takes the memory back in the moment in which a task of the background has ended. */
struct poller {
	mag_frame frame;
	MAG_ARGS(poller, mag_handle *handle; int n;);
	int64_t rc;
	int i;
};

MAG_TASK(poller)
{
	MAG_BEGIN(poller);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], mag_background(mag_runtime_current()), sleeper);
		CHECK(self->rc == 0);
		while (!watch_for(&self->handle[self->i]))
			MAG_YIELD(self->rc);
		fill(&self->handle[self->i], sizeof(*self->handle));
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: `done` stored before all else at the end of a task; handles of the background listed as others are; with
 * ThreadSanitizer, mag_handle_done without passing the handle's lock: its release comes into what was filled. */
Test(member_handle, in_the_background_its_memory_is_free_when_it_is_done, .timeout = 60)
{
	enum { ROUNDS = 10000 / PLAY_SLOWDOWN };
	mag_handle *handle = malloc(ROUNDS * sizeof(*handle));

	cr_assert_not_null(handle);
	EACH_WORKERS(n) {
		int rounds = n == 1 ? ROUNDS / 100 : ROUNDS; /* alone it yields each time */

		cr_assert_eq(RUN(n, poller, .handle = handle, .n = rounds), 0);
		for (int i = 0; i < rounds; i++)
			cr_assert(is_filled(&handle[i], sizeof(*handle)), "round %d of %u workers", i, n);
	}
	free(handle);
}

/* Ends a group that has finished handles which nobody asked for; its memory is used for other things at once. */
struct brief {
	mag_frame frame;
	MAG_ARGS(brief, mag_handle *handle; uint32_t *begun;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(brief)
{
	MAG_BEGIN(brief);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, sleeper, .result = 9);
		CHECK(self->rc == 0);
	}
	raise_flag(self->begun);
	MAG_GROUP_END(self->rc, &self->group);
	fill(&self->group, sizeof(self->group));
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Waits for them meanwhile, and afterwards. */
struct asker {
	mag_frame frame;
	MAG_ARGS(asker, mag_handle *handle; uint32_t *begun; int from;);
	int64_t rc;
	int i;
};

MAG_TASK(asker)
{
	MAG_BEGIN(asker);
	while (!is_raised(self->begun))
		MAG_YIELD(self->rc);
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_AWAIT(self->rc, mag_handle_wait, &self->handle[(self->from + self->i) % MEMBERS]);
		CHECK(self->rc == 9);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct at_the_end {
	mag_frame frame;
	MAG_ARGS(at_the_end, uint64_t until;);
	mag_handle handle[MEMBERS];
	mag_group group;
	uint32_t begun;
	int64_t rc;
};

MAG_TASK(at_the_end)
{
	MAG_BEGIN(at_the_end);
	while (magi_clock_ns() < self->until) {
		magi_store_rlx(&self->begun, 0u); /* [flag] nobody else is there yet */
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, brief, .handle = self->handle, .begun = &self->begun);
		MAG_SPAWN(self->rc, &self->group, asker, .handle = self->handle, .begun = &self->begun);
		MAG_SPAWN(self->rc, &self->group, asker, .handle = self->handle, .begun = &self->begun, .from = 5);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK(self->rc == 0);
		MAG_CALL(self->rc, asker, .handle = self->handle, .begun = &self->begun);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an end of a group that leaves them in its list, or leaves those whose lock somebody has; with ThreadSanitizer,
 * one that does not wait for who takes the last one out. */
Test(member_handle, a_group_that_has_ended_is_not_asked_any_more, .timeout = 60)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, at_the_end, .until = magi_clock_ns() + 300 * MAG_MILLISECOND), 0);
}

/* A member of one runtime, and a task of another that waits for it. */
struct landlord {
	mag_frame frame;
	MAG_ARGS(landlord, mag_handle *handle; mag_future *gate; uint32_t *begun;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(landlord)
{
	MAG_BEGIN(landlord);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, self->handle, &self->group, waiter, .gate = self->gate, .result = 5);
	CHECK(self->rc == 0);
	raise_flag(self->begun);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct foreigner {
	mag_frame frame;
	MAG_ARGS(foreigner, mag_handle *handle; mag_runtime *home;);
	int64_t rc;
};

MAG_TASK(foreigner)
{
	MAG_BEGIN(foreigner);
	CHECK(mag_runtime_current() == self->home);
	MAG_AWAIT(self->rc, mag_handle_wait, self->handle);
	CHECK(mag_runtime_current() == self->home);
	MAG_RETURN(self->rc);
	MAG_END;
}

static uint32_t waiting(struct magi_waitq *q)
{
	magi_lock_acquire(magi_waitq_lock(q));
	uint32_t n = q->count;
	magi_lock_release(magi_waitq_lock(q));
	return n;
}

/* Tried: waiters resumed on the runtime of the group. */
Test(member_handle, a_task_of_another_runtime_that_waits_goes_on_in_its_own, .timeout = 10)
{
	struct play here, there;
	mag_handle handle;
	mag_future gate, first, second;
	uint32_t begun = 0;

	play_begin(&here, 1);
	play_begin(&there, 2);
	mag_future_init(&gate);
	mag_future_init(&first);
	mag_future_init(&second);
	cr_assert_eq(mag_spawn_from(here.rt, &first, landlord, .handle = &handle, .gate = &gate, .begun = &begun), 0);
	cr_assert(busy_until(&begun, 5 * MAG_SECOND));
	cr_assert_eq(mag_spawn_from(there.rt, &second, foreigner, .handle = &handle, .home = there.rt), 0);
	while (!waiting(&handle.waiters))
		sched_yield();
	mag_future_complete(&gate, 0);
	cr_assert_eq(play_wait(&second), 5);
	cr_assert_eq(play_wait(&first), 0);
	mag_future_fini(&gate);
	play_end(&there);
	play_end(&here);
}

/* Very many wait for one. */
struct idol {
	mag_frame frame;
	MAG_ARGS(idol, int fans;);
	mag_group group, onlookers;
	mag_handle handle;
	mag_future gate;
	uint64_t began;
	uint32_t saw;
	int64_t rc;
	int i;
};

MAG_TASK(idol)
{
	MAG_BEGIN(idol);
	self->saw = 0;
	mag_future_init(&self->gate);
	MAG_GROUP_BEGIN(&self->onlookers);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, waiter, .gate = &self->gate, .result = 9);
	for (self->i = 0; self->i < self->fans; self->i++) {
		MAG_SPAWN(self->rc, &self->onlookers, onlooker, .handle = &self->handle, .want = 9, .saw = &self->saw);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_sleep, REST);
	self->began = magi_clock_ns();
	mag_future_complete(&self->gate, 0);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_GROUP_END(self->rc, &self->onlookers);
	CHECK(counted(&self->saw) == (uint32_t)self->fans);
	mag_future_fini(&self->gate);
	MAG_RETURN((int64_t)(magi_clock_ns() - self->began));
	MAG_END;
}

/* Tried: adding them to the list of those to resume one by one, at its end each: 60 s instead of 0.04. */
Test(member_handle, many_that_wait_for_one_are_woken_in_time, .timeout = 60)
{
	cr_assert_lt(RUN(1, idol, .fans = 100000), (int64_t)(20 * MAG_SECOND));
}
