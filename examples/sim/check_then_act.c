/* SPDX-License-Identifier: MIT */
/* check_then_act.c - withdrawals from an account that must not go below zero. With the bug the balance is looked at, then
 * the withdrawal is written to a journal, and only then the money is taken: while one waits for the journal another can
 * look at the same balance.
 *
 *	magpie sim build/release/examples/sim/check_then_act.so --seeds 10000 --shrink
 *
 * Built twice: check_then_act.so with the bug, check_then_act_fixed.so without it. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

enum { BALANCE = 100, AMOUNT = 60, CUSTOMERS = 3 };

struct account {
	mag_mutex lock;
	int64_t balance;
};

/* The journal is a file; to write to it mostly takes some microseconds. */
static int64_t write_journal(void *arg)
{
	(void)arg;
	return 0;
}

struct withdraw {
	mag_frame frame;
	MAG_ARGS(withdraw, struct account *account; int64_t amount;);
	int64_t rc;
};

/* -EDQUOT: there is not enough. */
MAG_TASK(withdraw)
{
	MAG_BEGIN(withdraw);
#ifdef FIXED
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->account->lock);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
#endif
	if (self->account->balance < self->amount) {
		self->rc = -EDQUOT;
	} else {
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, write_journal, &self->amount);
		if (self->rc == 0)
			self->account->balance -= self->amount;
	}
#ifdef FIXED
	mag_mutex_unlock(&self->account->lock);
#endif
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Comes after a while, withdraws. */
struct customer {
	mag_frame frame;
	MAG_ARGS(customer, struct account *account; uint64_t after;);
	int64_t rc;
};

MAG_TASK(customer)
{
	MAG_BEGIN(customer);
	MAG_AWAIT(self->rc, mag_sleep, self->after);
	MAG_CALL(self->rc, withdraw, .account = self->account, .amount = AMOUNT);
	MAG_RETURN(self->rc == -EDQUOT ? 0 : self->rc);
	MAG_END;
}

struct check_then_act {
	mag_frame frame;
	MAG_NO_ARGS(check_then_act);
	mag_group group;
	struct account account;
	int64_t rc;
	uint64_t i;
};

MAG_TASK(check_then_act)
{
	MAG_BEGIN(check_then_act);
	mag_mutex_init(&self->account.lock);
	self->account.balance = BALANCE;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < CUSTOMERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, customer, .account = &self->account,
			  .after = self->i * 50 * MAG_MILLISECOND);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->account.balance >= 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_PROGRAM(check_then_act);
