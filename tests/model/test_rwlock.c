/* SPDX-License-Identifier: MIT */
/* test_rwlock.c - rwlock.c on the waiter core, wait.c and cancel.c, in every order: who writes is alone, what was
 * written is seen, and nobody waits who could go on. */
#include <criterion/criterion.h>

#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define lock_of rwlock_lock_of
#include "sync/rwlock.c"

static mag_rwlock rwlock;
static uint32_t writers, readers; /* that hold it */
static uint64_t guarded;

mag_frame *magi_until(mag_worker *w, mag_frame *f, magi_until_fn op, void *object, uint64_t arg, uint64_t deadline)
{
	(void)deadline; /* there is none */
	return op(w, f, object, arg);
}

static void start(void)
{
	tasks_init();
	memset(&rwlock, 0, sizeof(rwlock));
	rwlock.gone = gone; /* both stored by each who waits */
	rwlock.waitq.gone = magi_waitq_held_served;
	explore_shared(&rwlock, sizeof(rwlock));
	writers = readers = 0;
	explore_ghost(&writers, sizeof(writers));
	explore_ghost(&readers, sizeof(readers));
	guarded = 0;
	explore_shared(&guarded, sizeof(guarded));
	/* task 0 may be cancelled, by thread 2 */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

/* Nobody is cancelled: no other thread looks into the scope of a task. */
static void uncancelled(void)
{
	start();
	explore_own(0, &its_scope[0].shard, sizeof(its_scope[0].shard), HIDDEN);
}

/* Task 2 has it at the start. */

static void written(void)
{
	start();
	rwlock.state = (uint64_t)(uintptr_t)&frame[2];
	writers = 1;
}

static void read_by_one(void)
{
	start();
	rwlock.state = READ + READER;
	readers = 1;
}

static int64_t lock_write(int i)
{
	int64_t rc = task_await(i, mag_rwlock_lock_write(&its_worker[i], &frame[i], &rwlock));

	if (rc == 0) {
		explore_assert(writers == 0 && readers == 0);
		writers = 1;
	}
	explore_point();
	return rc;
}

static int64_t lock_read(int i)
{
	int64_t rc = task_await(i, mag_rwlock_lock_read(&its_worker[i], &frame[i], &rwlock));

	if (rc == 0) {
		explore_assert(writers == 0);
		readers++;
	}
	explore_point();
	return rc;
}

static void unlock_write(int i)
{
	writers = 0;
	explore_assert(mag_rwlock_unlock_write_by(&its_worker[i], &frame[i], &rwlock) == 0);
	explore_point();
}

static void unlock_read(int i)
{
	readers--;
	explore_assert(mag_rwlock_unlock_read_by(&its_worker[i], &frame[i], &rwlock) == 0);
	explore_point();
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
	explore_point();
}

/* What one has written the next one sees, who writes or reads; a writer sees that the readers before it are done. */

static void adds(int i)
{
	explore_assert(lock_write(i) == 0);
	guarded++;
	unlock_write(i);
}

static void adds_first(void)
{
	adds(0);
}

static void adds_second(void)
{
	adds(1);
}

static void two_added(void)
{
	explore_assert(guarded == 2);
	explore_assert(rwlock.state == 0 && !rwlock.waitq.head);
}

/* Two read while one writes. */

static void reads_first(void)
{
	explore_assert(lock_read(0) == 0);
	explore_assert(guarded <= 1);
	unlock_read(0);
}

static void writes_and_keeps_reading(void)
{
	explore_assert(lock_write(1) == 0);
	guarded++;
	writers = 0;
	readers++;
	explore_assert(magi_rwlock_unlock_write(&frame[1], &rwlock, true) == 0);
	explore_point();
	explore_assert(guarded == 1);
	unlock_read(1);
}

static void one_added(void)
{
	explore_assert(guarded == 1);
	explore_assert(rwlock.state == 0 && !rwlock.waitq.head);
}

/* Task 0 waits to write, and is cancelled; task 1 stands behind it, or not. */

static void wants_to_write(void)
{
	int64_t rc = lock_write(0);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
	if (rc == 0)
		unlock_write(0);
}

static void comes_to_read(void)
{
	explore_assert(lock_read(1) == 0);
}

static void comes_to_write(void)
{
	adds(1);
}

/* The reader that was there reads on. */
static void cancels_alone(void)
{
	cancels();
}

static void unlocks_and_cancels(void)
{
	unlock_write(2);
	cancels();
}

static void both_read(void)
{
	explore_assert(readers == 2 && !writers);
	explore_assert(rwlock.state == READ + 2 * READER && !rwlock.waitq.head);
}

/* Both read what task 2 has written, whether they have waited or not. */

static void writes_and_unlocks(void)
{
	guarded = 1;
	unlock_write(2);
}

static void reads_what_was_written(int i)
{
	explore_assert(lock_read(i) == 0);
	explore_assert(guarded == 1);
}

static void reads_too(void)
{
	reads_what_was_written(0);
}

static void reads_as_well(void)
{
	reads_what_was_written(1);
}

/* Two have read, and a third writes only when both are done; it unlocks amid those who try. */

static void read_by_two(void)
{
	start();
	rwlock.state = READ + 2 * READER;
	readers = 2;
}

static void has_read(int i)
{
	explore_assert(guarded == 0);
	unlock_read(i);
}

static void has_read_first(void)
{
	has_read(0);
}

static void has_read_second(void)
{
	has_read(1);
}

static void tries_to_write(void)
{
	if (magi_rwlock_try_lock(&frame[2], &rwlock, true) == 0)
		guarded++;
}

/* The slow way of an unlock, since the word has waiters for a moment, who go. */

static void written_by_first(void)
{
	start();
	rwlock.state = (uint64_t)(uintptr_t)&frame[1];
	writers = 1;
}

static void writes_and_unlocks_slowly(void)
{
	guarded = 1;
	writers = 0;
	explore_assert(magi_rwlock_unlock_write(&frame[1], &rwlock, false) == 0);
	explore_point();
}

static void tries_to_read(void)
{
	if (magi_rwlock_try_lock(&frame[0], &rwlock, false) == 0)
		explore_assert(guarded == 1);
}

/* Who gets it last may free it. */

static void unlocks(void)
{
	unlock_write(2);
}

static void writes_and_ends_it(void)
{
	explore_assert(lock_write(1) == 0);
	explore_freed(&rwlock);
}

static void last_reader_ends(void)
{
	unlock_read(2);
}

static void nothing(void)
{
}

#define MODEL(what, soon, is_left, given, ...)                                                              \
	{                                                                                                   \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = (is_left),              \
		.preemptions = (soon) == EXPLORE_ALL ? EXPLORE_ALL : 3, .quick = (soon), .only_views = true \
	}
static const struct explore_model
	two_write = MODEL("two_write", EXPLORE_ALL, two_added, uncancelled, adds_first, adds_second),
	one_keeps = MODEL("one_keeps", 3, one_added, uncancelled, reads_first, writes_and_keeps_reading),
	head_goes = MODEL("head_goes", 2, both_read, read_by_one, wants_to_write, comes_to_read, cancels_alone),
	passed_on = MODEL("passed_on", 1, one_added, written, wants_to_write, comes_to_write, unlocks_and_cancels),
	read_both = MODEL("read_both", 2, both_read, written, reads_too, reads_as_well, writes_and_unlocks),
	two_have_read = MODEL("two_have_read", EXPLORE_ALL, nothing, read_by_two, has_read_first, has_read_second,
			      tries_to_write),
	unlocked_slowly = MODEL("unlocked_slowly", EXPLORE_ALL, nothing, written_by_first, tries_to_read,
				writes_and_unlocks_slowly),
	ended = MODEL("ended", EXPLORE_ALL, nothing, written, nothing, writes_and_ends_it, unlocks),
	ended_by_reader = MODEL("ended_by_reader", EXPLORE_ALL, nothing, read_by_one, nothing, writes_and_ends_it,
				last_reader_ends);

#ifdef MODEL_FAULT

Test(rwlock, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &two_write, &one_keeps, &head_goes, &passed_on, &ended,
						    &ended_by_reader, &read_both, &two_have_read, &unlocked_slowly };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(rwlock, holders_see_what_was_written, .timeout = 300)
{
	cr_assert(explore_holds(&two_write));
}

Test(rwlock, writer_that_reads_on_has_no_other_between, .timeout = 300)
{
	cr_assert(explore_holds(&one_keeps));
}

Test(rwlock, cancelled_writer_lets_the_reader_behind_it_go, .timeout = 300)
{
	cr_assert(explore_holds(&head_goes));
}

Test(rwlock, lock_of_a_cancelled_writer_is_the_next_ones, .timeout = 300)
{
	cr_assert(explore_holds(&passed_on));
}

Test(rwlock, who_has_not_waited_sees_what_was_written, .timeout = 300)
{
	cr_assert(explore_holds(&read_both));
}

Test(rwlock, writer_comes_after_all_who_have_read, .timeout = 300)
{
	cr_assert(explore_holds(&two_have_read));
}

Test(rwlock, unlock_without_a_race_is_seen, .timeout = 300)
{
	cr_assert(explore_holds(&unlocked_slowly));
}

Test(rwlock, who_gets_it_last_may_end_it, .timeout = 300)
{
	cr_assert(explore_holds(&ended));
	cr_assert(explore_holds(&ended_by_reader));
}

#endif
