/* SPDX-License-Identifier: MIT */
/* test_fd.c - the table of open files of src/io/fd.c: names, references, closing. */
#include "io/fd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/alloc.h"

#if defined(MAGI_TSAN)
enum { ROUNDS = 1000 };
#else
enum { ROUNDS = 2000 };
#endif

static struct magi_fds table;
static mag_frame closer;

static int open_raw(void)
{
	int raw = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert(raw >= 0);
	return raw;
}

static struct magi_fd *add(int raw, mag_fd *fd)
{
	cr_assert_eq(magi_fds_add(&table, raw, fd), 0);
	return magi_fds_find(&table, *fd);
}

static int begin(struct magi_fd *r, mag_fd fd, uint32_t direction)
{
	return magi_fd_begin(r, fd, direction, 0);
}

Test(fd, name_finds_the_record, .timeout = 5)
{
	mag_fd a, b;
	struct magi_fd *r = add(11, &a), *q = add(12, &b);

	cr_assert(r && q && r != q);
	cr_assert_eq(r->raw, 11);
	cr_assert_eq(q->raw, 12);
	cr_assert_neq(a.generation, 0);
	cr_assert_eq(table.open, 2);
	magi_fds_drop(&table, r);
	magi_fds_drop(&table, q);
	cr_assert_eq(table.open, 0);
	cr_assert_eq(magi_fds_fini(&table), 0);
}

Test(fd, name_that_was_never_given_finds_nothing, .timeout = 5)
{
	mag_fd fd;

	cr_assert_null(magi_fds_find(&table, MAG_FD_NONE));
	cr_assert_null(magi_fds_find(&table, (mag_fd){ UINT32_MAX, 1 }));
	(void)add(11, &fd);
	cr_assert_null(magi_fds_find(&table, MAG_FD_NONE));
	cr_assert_null(magi_fds_find(&table, (mag_fd){ fd.index + 1, 1 }));
	cr_assert_null(magi_fds_find(&table, (mag_fd){ fd.index + 1, 0 }));
	magi_fds_drop(&table, magi_fds_find(&table, fd));
	magi_fds_fini(&table);
}

/* Tried: add that leaves the generation as it was. */
Test(fd, stale_name_does_not_reach_the_file_that_reuses_the_record, .timeout = 5)
{
	mag_fd old, fd;
	struct magi_fd *r = add(11, &old);

	magi_fds_drop(&table, r);
	cr_assert_eq(begin(r, old, 0), MAG_ECLOSED);
	cr_assert_eq(magi_fd_close(r, old, NULL), MAG_ECLOSED);
	cr_assert_eq(add(12, &fd), r);
	cr_assert_eq(fd.index, old.index);
	cr_assert_null(magi_fds_find(&table, old));
	cr_assert_eq(begin(r, old, 0), MAG_ECLOSED);
	cr_assert_eq(begin(r, old, MAGI_FD_READING), MAG_ECLOSED);
	cr_assert_eq(magi_fd_close(r, old, NULL), MAG_ECLOSED);
	cr_assert_not(magi_fd_unused(r, old));
	cr_assert_eq(begin(r, fd, 0), MAGI_FD_GO);
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

/* Tried: a generation that goes round to 0, which names no file. */
Test(fd, generation_is_never_0, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);

	magi_fds_drop(&table, r);
	r->word = (uint64_t)UINT32_MAX << 32;
	r = add(12, &fd);
	cr_assert_not_null(r);
	cr_assert_eq(fd.generation, 1);
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

/* Tried: begin without the look at the direction; two sends are under way and may change places. */
Test(fd, one_receive_and_one_send_at_a_time, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);
	bool queued = true;

	cr_assert_eq(begin(r, fd, MAGI_FD_READING), MAGI_FD_GO);
	cr_assert_eq(begin(r, fd, MAGI_FD_READING), MAGI_FD_WAIT);
	cr_assert_eq(begin(r, fd, MAGI_FD_WRITING), MAGI_FD_GO);
	cr_assert_eq(begin(r, fd, MAGI_FD_WRITING), MAGI_FD_WAIT);
	cr_assert_eq(begin(r, fd, 0), MAGI_FD_GO);
	cr_assert_not(magi_fd_end(r, MAGI_FD_READING, &queued));
	cr_assert_not(queued);
	cr_assert_eq(begin(r, fd, MAGI_FD_READING), MAGI_FD_GO);
	cr_assert_eq(begin(r, fd, MAGI_FD_WRITING), MAGI_FD_WAIT);
	magi_fd_unbegin(r, MAGI_FD_READING);
	magi_fd_unbegin(r, MAGI_FD_WRITING);
	magi_fd_unbegin(r, 0);
	cr_assert_eq(r->word & MAGI_FD_REFS, 0);
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

Test(fd, who_ends_a_turn_learns_that_others_wait, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);
	bool queued;

	cr_assert_eq(begin(r, fd, MAGI_FD_WRITING), MAGI_FD_GO);
	cr_assert_eq(begin(r, fd, MAGI_FD_READING), MAGI_FD_GO);
	magi_fd_set_queued(r, MAGI_FD_WRITING, true);
	cr_assert_not(magi_fd_end(r, MAGI_FD_READING, &queued));
	cr_assert_not(queued, "the other direction");
	cr_assert_not(magi_fd_end(r, MAGI_FD_WRITING, &queued));
	cr_assert(queued);
	magi_fd_set_queued(r, MAGI_FD_WRITING, false);
	cr_assert_eq(r->word & UINT32_MAX, MAGI_FD_OPEN);
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

/* Tried: begin that does not look at CLOSING; end that says "last" at each end of a closing file. */
Test(fd, closing_file_takes_nothing_in_and_its_last_user_closes_it, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);
	bool queued;

	cr_assert_eq(begin(r, fd, MAGI_FD_READING), MAGI_FD_GO);
	cr_assert_eq(begin(r, fd, 0), MAGI_FD_GO);
	cr_assert_not(magi_fd_closing(r));
	cr_assert_eq(magi_fd_close(r, fd, &closer), 1);
	cr_assert(magi_fd_closing(r));
	cr_assert_eq(r->closer, &closer);
	cr_assert_eq(begin(r, fd, 0), MAG_ECLOSED);
	cr_assert_eq(begin(r, fd, MAGI_FD_READING), MAG_ECLOSED);
	cr_assert_eq(magi_fd_close(r, fd, NULL), MAG_ECLOSED);
	cr_assert_not(magi_fd_end(r, 0, &queued), "the closer's own reference");
	cr_assert_not(magi_fd_end(r, 0, &queued));
	cr_assert(magi_fd_end(r, MAGI_FD_READING, &queued));
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

Test(fd, file_that_nobody_uses_is_closed_at_once, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);
	bool queued;

	cr_assert_eq(magi_fd_close(r, fd, &closer), 0);
	cr_assert(magi_fd_end(r, 0, &queued));
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

Test(fd, only_a_file_that_nobody_uses_can_be_given_back, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);

	cr_assert_eq(begin(r, fd, 0), MAGI_FD_GO);
	cr_assert_not(magi_fd_unused(r, fd));
	cr_assert_not(magi_fd_closing(r));
	magi_fd_unbegin(r, 0);
	cr_assert(magi_fd_unused(r, fd));
	cr_assert_eq(begin(r, fd, 0), MAG_ECLOSED);
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

/* Close mails the rings that stand here. Tried: the bit set after the reference. */
Test(fd, rings_that_used_a_file_are_remembered_until_it_is_closed, .timeout = 5)
{
	mag_fd fd;
	struct magi_fd *r = add(11, &fd);

	for (uint32_t worker = 0; worker < 64; worker += 9)
		cr_assert_eq(magi_fd_begin(r, fd, 0, worker), MAGI_FD_GO);
	for (uint32_t worker = 0; worker < 64; worker++)
		cr_assert_eq(r->rings >> worker & 1, worker % 9 == 0);
	magi_fds_drop(&table, r);
	cr_assert_eq(add(12, &fd), r);
	cr_assert_eq(r->rings, 0);
	magi_fds_drop(&table, r);
	magi_fds_fini(&table);
}

Test(fd, table_grows_and_names_stay_good, .timeout = 10)
{
	enum { N = 3 * MAGI_FD_CHUNK + 1 };
	static mag_fd fd[N];

	for (int i = 0; i < N; i++)
		(void)add(1000000 + i, &fd[i]);
	for (int i = 0; i < N; i++)
		cr_assert_eq(magi_fds_find(&table, fd[i])->raw, 1000000 + i);
	for (int i = 0; i < N; i++)
		magi_fds_drop(&table, magi_fds_find(&table, fd[i]));
	cr_assert_eq(table.fresh, N);
	for (int i = 0; i < N; i++)
		(void)add(1000000 + i, &fd[i]);
	cr_assert_eq(table.fresh, N, "records are used again");
	for (int i = 0; i < N; i++)
		magi_fds_drop(&table, magi_fds_find(&table, fd[i]));
	cr_assert_eq(magi_fds_fini(&table), 0);
}

Test(fd, full_table_refuses, .timeout = 5)
{
	mag_fd fd = { 7, 7 };

	table.fresh = MAGI_FD_CHUNK * MAGI_FD_CHUNKS;
	cr_assert_eq(magi_fds_add(&table, 11, &fd), -EMFILE);
	table.fresh = 0;
	magi_fds_fini(&table);
}

Test(fd, no_memory_is_said_and_forgotten, .timeout = 5)
{
	mag_fd fd;

	magi_fault_plan(1, 0);
	cr_assert_eq(magi_fds_add(&table, 11, &fd), -ENOMEM);
	magi_fault_plan(0, 0);
	cr_assert_eq(table.open, 0);
	magi_fds_drop(&table, add(11, &fd));
	cr_assert_eq(magi_fds_fini(&table), 0);
}

Test(fd, end_of_the_runtime_closes_what_is_open, .timeout = 5)
{
	mag_fd fd;
	int raw = open_raw();

	(void)add(raw, &fd);
	cr_assert_eq(magi_fds_fini(&table), 1);
	cr_assert_eq(fcntl(raw, F_GETFD), -1);
}

struct user {
	pthread_t thread;
	uint32_t worker;
	uint32_t direction;
};

static struct magi_fd *record;
static mag_fd name;
static uint32_t round_no; /* atomic */
static uint32_t lasts;    /* atomic: who was told to close */
static uint32_t inside;   /* atomic: operations under way */
static uint32_t finished; /* atomic */

static void finish(uint32_t direction)
{
	bool queued;

	if (magi_fd_end(record, direction, &queued)) {
		cr_assert_eq(magi_load_acq(&inside), 0); /* [inside] */
		magi_add_ar(&lasts, 1u); /* [lasts] */
	}
}

static void *use_until_closed(void *arg)
{
	struct user *u = arg;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		int rc;

		while (magi_load_acq(&round_no) < round) /* [round] */
			sched_yield();
		while ((rc = magi_fd_begin(record, name, u->direction, u->worker)) != MAG_ECLOSED) {
			if (rc == MAGI_FD_WAIT)
				continue;
			magi_add_ar(&inside, 1u); /* [inside] */
			magi_sub_ar(&inside, 1u); /* [inside] */
			finish(u->direction);
		}
		magi_add_ar(&finished, 1u); /* [finished] */
	}
	return NULL;
}

/* Tried: end as a load and a store instead of a CAS; close without a reference of its own (the last user closes before
 * `closer` stands in the record). */
Test(fd, exactly_one_closes_while_three_threads_use_it, .timeout = 60)
{
	struct user user[3] = { { 0, 0, MAGI_FD_READING }, { 0, 1, MAGI_FD_READING }, { 0, 2, 0 } };

	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&user[i].thread, NULL, use_until_closed, &user[i]), 0);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		record = add(11, &name);
		magi_store_rel(&finished, 0u); /* [finished] */
		magi_store_rel(&lasts, 0u); /* [lasts] */
		magi_store_rel(&round_no, round); /* [round] */
		while (round % 2 && !magi_load_acq(&record->rings)) /* [fdrings] now and then close comes first */
			sched_yield();
		cr_assert(magi_fd_close(record, name, &closer) >= 0);
		finish(0);
		while (magi_load_acq(&finished) < 3) /* [finished] */
			sched_yield();
		cr_assert_eq(magi_load_acq(&lasts), 1); /* [lasts] */
		magi_fds_drop(&table, record);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(user[i].thread, NULL);
	magi_fds_fini(&table);
}
