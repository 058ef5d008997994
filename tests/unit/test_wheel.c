/* SPDX-License-Identifier: MIT */
/* test_wheel.c - the timer wheel, by one thread (test_wheel_threads.c: by two). */
#include "sched/wheel.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "base/random.h"

#define TICK (UINT64_C(1) << MAGI_WHEEL_TICK_BITS)
#define SECOND UINT64_C(1000000000)
#define DAY (86400 * SECOND)
#define YEAR (365 * DAY)
#define NEVER UINT64_MAX

enum { ID = 3 };

static struct magi_wheel wheel; /* large for a stack; each test has a process of its own */

struct fired {
	magi_timer *order[16];
	size_t n;
};

static void note(magi_timer *t, void *ctx)
{
	struct fired *fired = ctx;

	cr_assert_eq(magi_timer_wheel(t), 0);
	cr_assert(fired->n < 16);
	fired->order[fired->n++] = t;
}

static void count(magi_timer *t, void *ctx)
{
	(void)t;
	++*(size_t *)ctx;
}

Test(wheel, timer_fires_at_its_deadline_and_not_a_nanosecond_before, .timeout = 10)
{
	const uint64_t delays[] = {
		1, TICK - 1, TICK, TICK + 1, 255 * TICK + 7, 256 * TICK, SECOND, DAY + 11, 90 * YEAR
	};
	const uint64_t start = 5 * YEAR + 12345;

	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		struct fired fired = { .n = 0 };
		magi_timer t = { .kind = 77 };

		magi_wheel_init(&wheel, ID, start);
		magi_wheel_add(&wheel, &t, start + delays[i]);
		cr_assert_eq(magi_timer_wheel(&t), ID);
		cr_assert_eq(magi_wheel_expire(&wheel, start + delays[i] - 1, note, &fired), 0);
		cr_assert_eq(magi_wheel_armed(&wheel), 1);
		cr_assert_eq(magi_wheel_expire(&wheel, start + delays[i], note, &fired), 1);
		cr_assert(fired.n == 1 && fired.order[0] == &t);
		cr_assert_eq(magi_wheel_armed(&wheel), 0);
		cr_assert_eq(t.kind, 77);
	}
}

Test(wheel, deadline_that_has_passed_fires_at_the_next_expire, .timeout = 10)
{
	struct fired fired = { .n = 0 };
	magi_timer t[4];

	magi_wheel_init(&wheel, ID, YEAR);
	magi_wheel_add(&wheel, &t[0], 0);
	magi_wheel_add(&wheel, &t[1], YEAR - DAY);
	magi_wheel_add(&wheel, &t[2], YEAR);
	magi_wheel_add(&wheel, &t[3], YEAR + 1);
	cr_assert_eq(magi_wheel_next(&wheel), 0);
	cr_assert_eq(magi_wheel_expire(&wheel, YEAR, note, &fired), 3);
	cr_assert_eq(magi_wheel_next(&wheel), YEAR + 1);
}

Test(wheel, never_is_armed_and_removable_and_does_not_fire, .timeout = 10)
{
	struct fired fired = { .n = 0 };
	magi_timer t;

	magi_wheel_init(&wheel, ID, YEAR);
	magi_wheel_add(&wheel, &t, NEVER);
	cr_assert_eq(magi_wheel_next(&wheel), NEVER);
	cr_assert_eq(magi_wheel_armed(&wheel), 1);
	cr_assert_eq(magi_wheel_expire(&wheel, NEVER, note, &fired), 0);
	cr_assert_eq(magi_timer_wheel(&t), ID);
	cr_assert(magi_wheel_remove(&wheel, &t));
	cr_assert_eq(magi_wheel_armed(&wheel), 0);
}

/* Overflow and wrap (tried: without LAST_TICK's test, the last line fails). */
Test(wheel, end_of_the_clock_neither_wraps_nor_fires_early, .timeout = 10)
{
	struct fired fired = { .n = 0 };
	magi_timer t[4];

	magi_wheel_init(&wheel, ID, 0);
	magi_wheel_add(&wheel, &t[0], NEVER - 1);
	magi_wheel_add(&wheel, &t[1], NEVER - 2 * TICK);
	cr_assert_eq(magi_wheel_expire(&wheel, NEVER - 2 * TICK - 1, note, &fired), 0);
	magi_wheel_add(&wheel, &t[2], NEVER - 2);
	cr_assert_eq(magi_wheel_expire(&wheel, NEVER - 2 * TICK, note, &fired), 1);
	cr_assert_eq(magi_wheel_expire(&wheel, NEVER - 3, note, &fired), 0);
	cr_assert_eq(magi_wheel_expire(&wheel, NEVER - 1, note, &fired), 2);
	magi_wheel_add(&wheel, &t[3], SECOND);
	cr_assert_eq(magi_wheel_expire(&wheel, NEVER, note, &fired), 1);
	cr_assert_eq(wheel.stale, NEVER);
}

Test(wheel, removed_timer_does_not_fire, .timeout = 10)
{
	struct fired fired = { .n = 0 };
	magi_timer t[3];

	magi_wheel_init(&wheel, ID, 0);
	for (int i = 0; i < 3; i++)
		magi_wheel_add(&wheel, &t[i], SECOND);
	cr_assert(magi_wheel_remove(&wheel, &t[1]));
	cr_assert_eq(magi_timer_wheel(&t[1]), 0);
	cr_assert_not(magi_wheel_remove(&wheel, &t[1]));
	cr_assert_eq(magi_wheel_expire(&wheel, SECOND, note, &fired), 2);
	cr_assert(fired.order[0] == &t[0] && fired.order[1] == &t[2]);
	cr_assert_not(magi_wheel_remove(&wheel, &t[0]));
}

Test(wheel, timer_of_another_wheel_is_left_alone, .timeout = 10)
{
	static struct magi_wheel other;
	magi_timer t, fresh;

	magi_wheel_init(&wheel, ID, 0);
	magi_wheel_init(&other, ID + 1, 0);
	magi_wheel_add(&other, &t, SECOND);
	magi_timer_init(&fresh);
	cr_assert_not(magi_wheel_remove(&wheel, &t));
	cr_assert_not(magi_wheel_remove(&wheel, &fresh));
	cr_assert(magi_wheel_remove(&other, &t));
}

Test(wheel, equal_deadlines_fire_in_the_order_of_adding, .timeout = 10)
{
	struct fired fired = { .n = 0 };
	magi_timer t[16];

	magi_wheel_init(&wheel, ID, 0);
	magi_wheel_add(&wheel, &t[0], DAY); /* the slot is not new */
	magi_wheel_remove(&wheel, &t[0]);
	for (int i = 0; i < 16; i++) {
		magi_wheel_add(&wheel, &t[i], DAY);
		/* half of them have moved down once when the others are added */
		if (i == 7)
			magi_wheel_expire(&wheel, DAY - SECOND / 100, note, &fired);
	}
	cr_assert_eq(magi_wheel_expire(&wheel, DAY, note, &fired), 16);
	for (int i = 0; i < 16; i++)
		cr_assert(fired.order[i] == &t[i], "%d", i);
}

Test(wheel, late_expire_fires_in_the_order_of_time, .timeout = 10)
{
	const uint64_t deadlines[] = { YEAR, TICK, DAY + TICK, 0, SECOND, DAY, 300 * TICK, SECOND + 2 * TICK };
	struct fired fired = { .n = 0 };
	magi_timer t[8];

	magi_wheel_init(&wheel, ID, 1);
	for (int i = 0; i < 8; i++)
		magi_wheel_add(&wheel, &t[i], deadlines[i]);
	cr_assert_eq(magi_wheel_expire(&wheel, 2 * YEAR, note, &fired), 8);
	for (int i = 1; i < 8; i++)
		cr_assert_lt(fired.order[i - 1]->deadline, fired.order[i]->deadline, "%d", i);
}

/* A wheel that steps through empty ticks makes 10^14 steps here. */
Test(wheel, clock_that_jumps_by_days_costs_nothing, .timeout = 10)
{
	size_t n = 0;
	magi_timer t;

	magi_wheel_init(&wheel, ID, 0);
	magi_wheel_add(&wheel, &t, 300 * YEAR);
	for (uint64_t day = 1; day <= 100000; day++)
		cr_assert_eq(magi_wheel_expire(&wheel, day * DAY, count, &n), 0);
	cr_assert_eq(magi_wheel_expire(&wheel, 300 * YEAR, count, &n), 1);
}

/* An idle worker sleeps until next: it wakes once for a timer, not once a level. */
Test(wheel, next_is_the_earliest_deadline_while_nothing_is_removed, .timeout = 10)
{
	const uint64_t deadlines[] = {
		3 * YEAR + 5, DAY + 123, DAY + 1, 7 * SECOND + 1, 7 * SECOND, TICK + 9, TICK + 3
	};
	size_t n = 0;
	magi_timer t[7];

	magi_wheel_init(&wheel, ID, 17);
	for (int i = 0; i < 7; i++) {
		magi_wheel_add(&wheel, &t[i], deadlines[i]);
		cr_assert_eq(magi_wheel_next(&wheel), deadlines[i]);
	}
	for (int i = 6; i >= 0; i--) {
		cr_assert_eq(magi_wheel_next(&wheel), deadlines[i], "%d", i);
		cr_assert_eq(magi_wheel_expire(&wheel, deadlines[i], count, &n), 1);
	}
	cr_assert_eq(magi_wheel_next(&wheel), NEVER);
}

Test(wheel, next_follows_removals_that_empty_a_slot, .timeout = 10)
{
	magi_timer t[3];

	magi_wheel_init(&wheel, ID, 0);
	magi_wheel_add(&wheel, &t[0], DAY);
	magi_wheel_add(&wheel, &t[1], SECOND);
	magi_wheel_add(&wheel, &t[2], SECOND + 1);
	/* the later one last: by then next is earlier than it */
	cr_assert(magi_wheel_remove(&wheel, &t[1]));
	cr_assert(magi_wheel_remove(&wheel, &t[2]));
	cr_assert_eq(magi_wheel_next(&wheel), DAY);
	cr_assert(magi_wheel_remove(&wheel, &t[0]));
	cr_assert_eq(magi_wheel_next(&wheel), NEVER);
}

/* The reference: a plain table of deadlines. */
enum { ENTRIES = 200, OPS = 100000 };

struct entry {
	magi_timer t; /* first: fire finds its entry */
	uint64_t deadline;
	bool armed, fired;
};

struct table {
	struct entry entries[ENTRIES];
	struct magi_random random;
	uint64_t seed, now;
	size_t armed;
};

static void mark_fired(magi_timer *t, void *ctx)
{
	struct entry *e = (struct entry *)t;

	(void)ctx;
	cr_assert(e->armed && !e->fired);
	e->fired = true;
}

/* Of every magnitude alike, up to 2^bits. */
static uint64_t some_time(struct table *m, unsigned bits)
{
	return magi_random_next(&m->random) >> (63 - magi_random_below(&m->random, bits));
}

static uint64_t later(uint64_t now, uint64_t ns)
{
	return now + ns < now ? NEVER : now + ns;
}

static uint64_t some_deadline(struct table *m)
{
	switch (magi_random_below(&m->random, 16)) {
	case 0:
		return 0;
	case 1:
		return m->now;
	case 2:
		return NEVER;
	case 3:
		return NEVER - 1;
	case 4:
		return m->now - (some_time(m, 60) & m->now);
	case 5:
		return later(m->now, some_time(m, 40)) & ~(TICK - 1);
	case 6:
		return m->entries[magi_random_below(&m->random, ENTRIES)].deadline;
	case 7:
		return later(m->now, some_time(m, 64));
	default:
		return later(m->now, some_time(m, 40));
	}
}

static uint64_t earliest(const struct table *m)
{
	uint64_t least = NEVER;

	for (int i = 0; i < ENTRIES; i++) {
		if (m->entries[i].armed && m->entries[i].deadline < least)
			least = m->entries[i].deadline;
	}
	return least;
}

/* When the next expire takes place; what it says is not always later than before: workers read the clock, then race. */
static uint64_t some_now(struct table *m)
{
	uint64_t least = earliest(m);

	switch (magi_random_below(&m->random, 8)) {
	case 0:
		return least == NEVER || least < m->now ? m->now : least;
	case 1:
		return least == NEVER || least <= m->now ? m->now : least - 1;
	case 2:
		return m->now - (some_time(m, 20) & m->now);
	case 3:
		return magi_random_below(&m->random, 200) ? m->now : later(m->now, some_time(m, 58));
	default:
		return later(m->now, some_time(m, 30));
	}
}

static void expire_and_compare(struct table *m, uint64_t now)
{
	size_t n = magi_wheel_expire(&wheel, now, mark_fired, NULL), due = 0;

	for (int i = 0; i < ENTRIES; i++) {
		struct entry *e = &m->entries[i];

		if (!e->armed)
			continue;
		cr_assert_eq(e->fired, e->deadline <= now && e->deadline != NEVER,
			     "seed %" PRIu64 ": %" PRIu64 " at %" PRIu64, m->seed, e->deadline, now);
		if (!e->fired)
			continue;
		e->armed = e->fired = false;
		due++;
	}
	cr_assert_eq(n, due);
	m->armed -= due;
	if (now > m->now)
		m->now = now;
}

static void toggle(struct table *m, struct entry *e)
{
	if (e->armed) {
		cr_assert(magi_wheel_remove(&wheel, &e->t));
		e->armed = false;
		m->armed--;
		return;
	}
	e->deadline = some_deadline(m);
	e->armed = true;
	m->armed++;
	magi_wheel_add(&wheel, &e->t, e->deadline);
}

/* Sleeps until next, again and again: after removals an expire may be in vain, but not the one after it. */
static void drain(struct table *m)
{
	bool vain = false;

	while (magi_wheel_next(&wheel) != NEVER) {
		size_t before = m->armed;

		expire_and_compare(m, magi_wheel_next(&wheel));
		cr_assert(!vain || m->armed < before, "seed %" PRIu64, m->seed);
		vain = m->armed == before;
	}
	cr_assert_eq(earliest(m), NEVER);
}

Test(wheel, agrees_with_a_plain_table_over_random_operations, .timeout = 10)
{
	const uint64_t starts[] = {
		0, 1, SECOND - 1, DAY, 40 * YEAR, UINT64_C(1) << 63, NEVER - DAY, NEVER - 70 * TICK
	};
	static struct table m;

	for (uint64_t seed = 0; seed < 8; seed++) {
		memset(&m, 0, sizeof m);
		m.seed = seed;
		m.now = starts[seed];
		magi_random_seed(&m.random, seed);
		magi_wheel_init(&wheel, ID, m.now);
		for (int op = 0; op < OPS; op++) {
			if (magi_random_below(&m.random, 4) == 0)
				expire_and_compare(&m, some_now(&m));
			else
				toggle(&m, &m.entries[magi_random_below(&m.random, ENTRIES)]);
			cr_assert_eq(magi_wheel_armed(&wheel), m.armed);
			cr_assert_leq(magi_wheel_next(&wheel), earliest(&m), "seed %" PRIu64 " op %d", seed, op);
			if (op % 10000 == 9999)
				drain(&m);
		}
	}
}
