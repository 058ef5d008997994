/* SPDX-License-Identifier: MIT */
/* 17_condition_barrier_once.c - payments wait for money, parts for each other; a table is made once. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* Condition: a payment waits until there is enough. */

struct account {
	mag_mutex mutex;
	mag_condition more; /* money has come in */
	int balance;
};

struct pay {
	mag_frame frame;
	MAG_ARGS(pay, struct account *account; int amount; uint64_t deadline;);
	int64_t rc;
};

MAG_TASK(pay)
{
	MAG_BEGIN(pay);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->account->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	while (self->rc == 0 && self->account->balance < self->amount)
		MAG_AWAIT(self->rc, mag_condition_wait_until, &self->account->more, &self->account->mutex, self->deadline);
	if (self->rc == 0)
		self->account->balance -= self->amount;
	mag_mutex_unlock(&self->account->mutex); /* held also when the wait has failed */
	MAG_RETURN(self->rc);
	MAG_END;
}

struct earn {
	mag_frame frame;
	MAG_ARGS(earn, struct account *account; int amount;);
	int64_t rc;
};

MAG_TASK(earn)
{
	MAG_BEGIN(earn);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->account->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->account->balance += self->amount;
	mag_mutex_unlock(&self->account->mutex);
	mag_condition_broadcast(&self->account->more); /* all look: the first may need more than there is */
	MAG_RETURN(0);
	MAG_END;
}

struct bank {
	mag_frame frame;
	MAG_NO_ARGS(bank);
	struct account account;
	mag_group group;
	int64_t rc, late;
	int i;
};

MAG_TASK(bank)
{
	MAG_BEGIN(bank);
	self->account = (struct account){ .mutex = MAG_MUTEX_INIT, .more = MAG_CONDITION_INIT };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 1; self->i <= 3; self->i++)
		MAG_SPAWN(self->rc, &self->group, pay, .account = &self->account, .amount = 10 * self->i,
			  .deadline = MAG_NEVER);
	for (self->i = 0; self->i < 12; self->i++)
		MAG_CALL(self->rc, earn, .account = &self->account, .amount = 5);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_CALL(self->late, pay, .account = &self->account, .amount = 1, .deadline = mag_deadline_in(MAG_MILLISECOND));
	printf("12 times 5 came in, 10, 20 and 30 were paid: %d left; one more: %s\n", self->account.balance,
	       mag_errname(self->late));
	MAG_RETURN(self->rc == 0 && self->account.balance == 0 && self->late == MAG_ETIMEDOUT ? 0 : -EPROTO);
	MAG_END;
}

/* Barrier: each part of a row takes the mean of its neighbours, step by step. */

enum { PARTS = 4, STEPS = 10 };

struct row {
	mag_barrier barrier;
	double cell[2][PARTS]; /* of this step, and of the next one */
	int steps;             /* counted by the last one to come */
};

struct part {
	mag_frame frame;
	MAG_ARGS(part, struct row *row; int at;);
	int64_t rc;
	int step;
};

MAG_TASK(part)
{
	const double *old;

	MAG_BEGIN(part);
	for (self->step = 0; self->step < STEPS; self->step++) {
		old = self->row->cell[self->step % 2];
		self->row->cell[(self->step + 1) % 2][self->at] =
			(old[(self->at + PARTS - 1) % PARTS] + old[(self->at + 1) % PARTS]) / 2;
		MAG_AWAIT(self->rc, mag_barrier_wait, &self->row->barrier);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		self->row->steps += self->rc == 1;
	}
	MAG_RETURN(0);
	MAG_END;
}

struct relax {
	mag_frame frame;
	MAG_NO_ARGS(relax);
	struct row row;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(relax)
{
	double sum = 0;

	MAG_BEGIN(relax);
	self->row = (struct row){ .barrier = MAG_BARRIER_INIT(PARTS), .cell = { { 8, 0, 0, 0 } } };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < PARTS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, part, .row = &self->row, .at = self->i);
		if (self->rc < 0)
			mag_barrier_abort(&self->row.barrier); /* or the others wait for it for ever */
	}
	MAG_GROUP_END(self->rc, &self->group);
	sum = 0;
	for (int i = 0; i < PARTS; i++)
		sum += self->row.cell[STEPS % 2][i];
	printf("%d parts have made %d steps together; their sum is still %g\n", PARTS, self->row.steps, sum);
	MAG_RETURN(self->rc == 0 && self->row.steps == STEPS && sum > 7.99 && sum < 8.01 ? 0 : -EPROTO);
	MAG_END;
}

/* Once: the first that needs the table loads it; that fails, and the next one tries. */

struct table {
	mag_once once;
	int loads, value;
};

struct use {
	mag_frame frame;
	MAG_ARGS(use, struct table *table;);
	int64_t rc;
};

MAG_TASK(use)
{
	MAG_BEGIN(use);
	MAG_AWAIT(self->rc, mag_once_begin, &self->table->once);
	if (self->rc == 1) {
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		if (self->rc == 0 && ++self->table->loads == 1)
			self->rc = -EIO;
		if (self->rc == 0)
			self->table->value = 7;
		mag_once_done(&self->table->once, self->rc); /* on every way out */
	}
	MAG_RETURN(self->rc < 0 ? self->rc : self->table->value == 7 ? 0 : -EPROTO);
	MAG_END;
}

struct load {
	mag_frame frame;
	MAG_NO_ARGS(load);
	struct table table;
	mag_group group;
	int64_t rc;
	uint32_t failed;
	int i;
};

MAG_TASK(load)
{
	MAG_BEGIN(load);
	self->table = (struct table){ .once = MAG_ONCE_INIT };
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 6; self->i++)
		MAG_SPAWN(self->rc, &self->group, use, .table = &self->table);
	MAG_GROUP_END(self->rc, &self->group);
	self->failed = mag_group_errors(&self->group, NULL);
	mag_group_clear(&self->group);
	printf("6 needed the table: loaded at the %dnd try, %u was told why not\n", self->table.loads, self->failed);
	MAG_RETURN(self->table.loads == 2 && self->failed == 1 ? 0 : -EPROTO);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	int64_t rc;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_CALL(self->rc, bank);
	if (self->rc == 0)
		MAG_CALL(self->rc, relax);
	if (self->rc == 0)
		MAG_CALL(self->rc, load);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "17_condition_barrier_once: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
