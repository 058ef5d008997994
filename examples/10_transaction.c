/* SPDX-License-Identifier: MIT */
/* 10_transaction.c - money moves from one account to another, wholly or not at all, whatever happens on the way. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* Stands for a database: what was committed, and what the transaction that is open has changed. */
struct bank {
	int committed[2], working[2];
	int commits, rollbacks;
};

struct ledger_begin {
	mag_frame frame;
	MAG_ARGS(ledger_begin, struct bank *resource;);
	int64_t rc;
};

MAG_TASK(ledger_begin)
{
	MAG_BEGIN(ledger_begin);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	self->resource->working[0] = self->resource->committed[0];
	self->resource->working[1] = self->resource->committed[1];
	MAG_RETURN(self->rc);
	MAG_END;
}

struct ledger_commit {
	mag_frame frame;
	MAG_ARGS(ledger_commit, struct bank *resource;);
	int64_t rc;
};

MAG_TASK(ledger_commit)
{
	MAG_BEGIN(ledger_commit);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* the rollback follows */
	self->resource->committed[0] = self->resource->working[0];
	self->resource->committed[1] = self->resource->working[1];
	self->resource->commits++;
	MAG_RETURN(0);
	MAG_END;
}

struct ledger_rollback {
	mag_frame frame;
	MAG_ARGS(ledger_rollback, struct bank *resource; int64_t why;);
	int64_t rc;
};

MAG_TASK(ledger_rollback)
{
	MAG_BEGIN(ledger_rollback);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	self->resource->rollbacks++;
	printf("rolled back: %s\n", mag_strerror(self->why));
	MAG_RETURN(self->rc);
	MAG_END;
}

struct transfer {
	mag_frame frame;
	MAG_ARGS(transfer, struct bank *bank; int amount; uint64_t ms;);
	mag_using tx;
	int64_t rc;
};

MAG_TASK(transfer)
{
	MAG_BEGIN(transfer);
	MAG_TRANSACTION_BEGIN(self->rc, &self->tx, ledger, self->bank);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->bank->working[0] -= self->amount;
	MAG_AWAIT(self->rc, mag_sleep, self->ms * MAG_MILLISECOND); /* between the halves: the worst moment to stop */
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->bank->working[1] += self->amount;
	if (self->bank->working[0] < 0)
		MAG_RETURN(-EDQUOT);
	MAG_TRANSACTION_END(self->rc, &self->tx, 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	struct bank bank;
	mag_scope scope;
	int64_t good, poor, late, ended;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->bank = (struct bank){ .committed = { 100, 0 } };
	MAG_CALL(self->good, transfer, .bank = &self->bank, .amount = 60);
	MAG_CALL(self->poor, transfer, .bank = &self->bank, .amount = 60);
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	MAG_CALL(self->late, transfer, .bank = &self->bank, .amount = 10, .ms = 60000);
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("in the end: %d and %d\n", self->bank.committed[0], self->bank.committed[1]);
	MAG_RETURN(self->good == 0 && self->poor == -EDQUOT && self->late == MAG_ECANCELED &&
				   self->bank.committed[0] == 40 && self->bank.committed[1] == 60 &&
				   self->bank.commits == 1 && self->bank.rollbacks == 2 ?
			   0 :
			   -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "10_transaction: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
