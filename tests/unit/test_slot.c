/* SPDX-License-Identifier: MIT */
/* test_slot.c - operations under way, their names, and mail that asks for their end. */
#include "sched/slot.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>

#include "base/alloc.h"

enum { ROUNDS = 5000 };

static struct magi_slots table;

static void note(struct magi_slot *s, void *ctx)
{
	uint32_t *count = ctx;

	(void)s;
	++*count;
}

static uint32_t read_mail(void)
{
	uint32_t count = 0;

	magi_slot_read_mail(&table, note, &count);
	return count;
}

Test(slot, token_finds_its_operation_until_it_is_over, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);
	uint64_t token = magi_token(7, s);

	cr_assert_eq(magi_token_worker(token), 7);
	cr_assert_eq(magi_slot_find(&table, token), s);
	magi_slot_give(&table, s);
	cr_assert_null(magi_slot_find(&table, token));
	magi_slots_fini(&table);
}

/* A late completion hit a reused slot elsewhere. Tried: the generation not changed by give. */
Test(slot, stale_token_does_not_find_who_has_the_slot_now, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);
	uint64_t old = magi_token(0, s);
	struct magi_slot *again;

	magi_slot_give(&table, s);
	again = magi_slot_take(&table);
	cr_assert_eq(again, s);
	cr_assert_null(magi_slot_find(&table, old));
	cr_assert_eq(magi_slot_find(&table, magi_token(0, again)), again);
	magi_slots_fini(&table);
}

/* Tried: a generation that wraps to 0; then a token of nothing finds the slot. */
Test(slot, generation_is_never_0, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);

	s->generation = UINT32_MAX;
	magi_slot_give(&table, s);
	s = magi_slot_take(&table);
	cr_assert_neq(s->generation, 0);
	cr_assert_null(magi_slot_find(&table, (uint64_t)s->index << 32));
	magi_slots_fini(&table);
}

Test(slot, token_that_was_never_given_finds_nothing, .timeout = 5)
{
	cr_assert_null(magi_slot_find(&table, 0));
	cr_assert_null(magi_slot_find(&table, UINT64_MAX));
	magi_slot_mail(&table, UINT64_MAX);
	cr_assert_eq(read_mail(), 0);
	(void)magi_slot_take(&table);
	cr_assert_null(magi_slot_find(&table, (uint64_t)1 << 32));
	magi_slot_mail(&table, 0); /* generation 0; tried without the look at it, the list is a ring */
	magi_slot_mail(&table, 0);
	cr_assert_eq(read_mail(), 0);
	magi_slots_fini(&table);
}

Test(slot, table_grows_over_chunks_and_names_stay_apart, .timeout = 5)
{
	enum { N = 3 * MAGI_SLOT_CHUNK + 1 };
	static struct magi_slot *s[N];
	uint32_t seen = 0;

	for (uint32_t i = 0; i < N; i++) {
		s[i] = magi_slot_take(&table);
		cr_assert_not_null(s[i]);
		cr_assert_eq(s[i]->index, i);
	}
	for (int i = 0; i < N; i++)
		cr_assert_eq(magi_slot_find(&table, magi_token(0, s[i])), s[i]);
	for (int i = 0; i < N; i += 2)
		magi_slot_give(&table, s[i]);
	cr_assert_eq(table.used, N / 2);
	magi_slot_each(&table, note, &seen);
	cr_assert_eq(seen, N / 2);
	magi_slots_fini(&table);
}

Test(slot, no_memory_gives_no_slot_and_later_one, .timeout = 5)
{
	magi_fault_plan(1, 0);
	cr_assert_null(magi_slot_take(&table));
	magi_fault_plan(0, 0);
	cr_assert_eq(table.used, 0);
	cr_assert_not_null(magi_slot_take(&table));
	magi_slots_fini(&table);
}

Test(slot, mail_asks_once_for_the_end_of_an_operation, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);

	magi_slot_mail(&table, magi_token(0, s));
	magi_slot_mail(&table, magi_token(0, s));
	cr_assert_eq(read_mail(), 1);
	cr_assert_eq(read_mail(), 0);
	magi_slot_mail(&table, magi_token(0, s));
	cr_assert_eq(read_mail(), 1);
	magi_slots_fini(&table);
}

/* Tried: read_mail that does not compare generations. */
Test(slot, mail_for_what_is_over_is_dropped, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);
	uint64_t old = magi_token(0, s);

	magi_slot_mail(&table, old);
	magi_slot_give(&table, s);
	cr_assert_eq(read_mail(), 0);
	s = magi_slot_take(&table);
	magi_slot_mail(&table, old);
	cr_assert_eq(read_mail(), 0);
	magi_slots_fini(&table);
}

/* Tried: a second mail that is dropped because the slot is in the stack already. */
Test(slot, stale_mail_does_not_hide_mail_for_who_has_the_slot_now, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);
	uint64_t old = magi_token(0, s);

	magi_slot_mail(&table, old);
	magi_slot_give(&table, s);
	s = magi_slot_take(&table);
	magi_slot_mail(&table, magi_token(0, s));
	magi_slot_mail(&table, old);
	cr_assert_eq(read_mail(), 1);
	magi_slots_fini(&table);
}

/* The names of operations have come round between the two. */
Test(slot, mail_from_before_the_names_came_round_hides_none_either, .timeout = 5)
{
	struct magi_slot *s = magi_slot_take(&table);

	s->generation = UINT32_MAX;
	magi_slot_mail(&table, magi_token(0, s));
	magi_slot_give(&table, s);
	cr_assert_eq(magi_slot_take(&table), s);
	magi_slot_mail(&table, magi_token(0, s));
	cr_assert_eq(read_mail(), 1);
	magi_slots_fini(&table);
}

enum { MAILED = 8 };

static uint64_t named[MAILED]; /* the round's operations; written before the round begins */
static uint64_t stale[MAILED]; /* those of the round before */
static uint32_t round_no;      /* atomic */
static uint32_t sent;          /* atomic: mailers that have sent all of the round */
static uint32_t asked[MAILED]; /* owner only */

/* Each mailer names half of the operations, once, and those of the round before for a second time. */
static void *send_mail(void *arg)
{
	uint32_t first = *(const uint32_t *)arg;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		while (magi_load_acq(&round_no) < round) /* [round] */
			sched_yield();
		for (uint32_t i = first; i < MAILED; i += 2) {
			magi_slot_mail(&table, stale[i]);
			magi_slot_mail(&table, named[i]);
		}
		magi_add_ar(&sent, 1u); /* [sent] */
	}
	return NULL;
}

static void ask(struct magi_slot *s, void *ctx)
{
	uint32_t *missing = ctx;

	for (int i = 0; i < MAILED; i++) {
		if (named[i] == magi_token(0, s) && !asked[i]++)
			--*missing;
	}
}

/* Each operation is asked to end, or this hangs. Tried, each with a pause of some 100 ns in between: `next_mail` read
 * after the slot's generation was taken (the stack is torn); the generation loaded and cleared instead of exchanged. */
Test(slot, no_mail_from_two_threads_is_lost, .timeout = 60)
{
	const uint32_t first[2] = { 0, 1 };
	struct magi_slot *s[MAILED];
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, send_mail, (void *)(uintptr_t)&first[i]), 0);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		uint32_t missing = MAILED;

		for (int i = 0; i < MAILED; i++) {
			s[i] = magi_slot_take(&table);
			stale[i] = named[i];
			named[i] = magi_token(0, s[i]);
			asked[i] = 0;
		}
		magi_store_rel(&round_no, round); /* [round] */
		while (missing) {
			uint32_t before = missing;

			magi_slot_read_mail(&table, ask, &missing);
			if (missing == before)
				sched_yield();
		}
		while (magi_load_acq(&sent) < 2 * round) /* [sent] */
			sched_yield();
		for (int i = 0; i < MAILED; i++)
			magi_slot_give(&table, s[i]);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	magi_slots_fini(&table);
}
