/* SPDX-License-Identifier: MIT */
/* 38_check_then_act.c - withdrawals from an account, with an await between the look at the balance and the taking: wrong,
 * under a lock, and looked at again. examples/sim/check_then_act.c is the wrong one for the simulator. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { BALANCE = 100, AMOUNT = 60, CUSTOMERS = 3 };

enum way { WRONG, LOCKED, LOOKED_AT_AGAIN };

struct account {
	mag_mutex lock;
	int64_t balance;
};

/* Each takes a moment, in which others run. */
struct write_journal {
	mag_frame frame;
	MAG_NO_ARGS(write_journal);
	int64_t rc;
};

MAG_TASK(write_journal)
{
	MAG_BEGIN(write_journal);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct withdraw {
	mag_frame frame;
	MAG_ARGS(withdraw, struct account *account; enum way way;);
	int64_t rc;
};

/* -EDQUOT: there is not enough. */
MAG_TASK(withdraw)
{
	MAG_BEGIN(withdraw);
	if (self->way == LOCKED) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->account->lock);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	self->rc = self->account->balance < AMOUNT ? -EDQUOT : 0;
	if (self->rc == 0)
		MAG_CALL(self->rc, write_journal); /* here others look at the same balance */
	if (self->rc == 0 && self->way == LOOKED_AT_AGAIN && self->account->balance < AMOUNT)
		self->rc = -EDQUOT; /* and the journal's entry is to be taken back */
	if (self->rc == 0)
		self->account->balance -= AMOUNT;
	if (self->way == LOCKED)
		mag_mutex_unlock(&self->account->lock);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* All come at once. One worker: the mistake needs no second thread. */
struct day {
	mag_frame frame;
	MAG_ARGS(day, enum way way; int64_t *balance; uint32_t *served;);
	mag_group customers;
	struct account account;
	int64_t rc;
	int i;
};

MAG_TASK(day)
{
	MAG_BEGIN(day);
	mag_mutex_init(&self->account.lock);
	self->account.balance = BALANCE;
	MAG_GROUP_BEGIN(&self->customers, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < CUSTOMERS; self->i++)
		MAG_SPAWN(self->rc, &self->customers, withdraw, .account = &self->account, .way = self->way);
	MAG_GROUP_END(self->rc, &self->customers);
	*self->served = CUSTOMERS - mag_group_errors(&self->customers, NULL);
	*self->balance = self->account.balance;
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	static const char *const names[] = { "looked, awaited, taken", "under a lock", "looked at again" };
	const mag_runtime_options options = { .size = sizeof(options), .workers = 1 };
	int faults = 0;

	for (int way = WRONG; way <= LOOKED_AT_AGAIN; way++) {
		int64_t balance = 0;
		uint32_t served = 0;
		int64_t rc = mag_run(&options, day, .way = (enum way)way, .balance = &balance, .served = &served);

		if (rc < 0) {
			fprintf(stderr, "38_check_then_act: %s %s\n", mag_strerror(rc), mag_runtime_why());
			return 1;
		}
		printf("%s: %u of %d are served, the balance is %lld\n", names[way], served, CUSTOMERS,
		       (long long)balance);
		faults += way == WRONG ? balance >= 0 : balance != BALANCE - AMOUNT || served != 1;
	}
	return faults;
}
