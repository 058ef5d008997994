/* SPDX-License-Identifier: MIT */
/* hedge.c - one of three replicas is slow, another refuses: a call is made at the next one when the first has not answered
 * after a while, and whoever is not needed any more is cancelled. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { REPLICAS = 3 };

struct replica {
	const char *name;
	uint64_t answer_ns;
	int64_t error;
	int called_off;
};

struct reply {
	const char *from;
};

struct ask {
	mag_frame frame;
	MAG_ARGS(ask, struct replica *replica; struct reply * reply;);
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_AWAIT(self->rc, mag_sleep, self->replica->answer_ns);
	if (self->rc < 0) {
		self->replica->called_off++;
		MAG_RETURN(self->rc);
	}
	self->reply->from = self->replica->name;
	MAG_RETURN(self->replica->error);
	MAG_END;
}

static mag_budget budget = MAG_BUDGET_INIT(5, 10); /* one call in twenty, and ten to begin with */
static const mag_hedge_policy policy = MAG_HEDGE_POLICY(.attempts = REPLICAS, .after_ns = 5 * MAG_MILLISECOND,
							.budget = &budget);

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	struct replica replicas[REPLICAS];
	struct reply replies[REPLICAS]; /* each attempt has its own */
	mag_hedge hedge;
	const struct mag_group_error *list;
	int64_t rc;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	self->replicas[0] = (struct replica){ "near", 100 * MAG_SECOND, 0, 0 };
	self->replicas[1] = (struct replica){ "spare", MAG_MILLISECOND, -ECONNREFUSED, 0 };
	self->replicas[2] = (struct replica){ "far", 2 * MAG_MILLISECOND, 0, 0 };
	MAG_HEDGE(self->rc, &self->hedge, &policy, ask, .replica = &self->replicas[self->hedge.started],
		  .reply = &self->replies[self->hedge.started]);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("%s answered, after %u attempts; the first one was called off: %d\n",
	       self->replies[self->hedge.winner].from, self->hedge.started, self->replicas[0].called_off);
	if (self->hedge.winner != 2 || self->replicas[0].called_off != 1)
		MAG_RETURN(-EPROTO);
	if (mag_group_errors(&self->hedge.group, &self->list) != 1 || self->list->code != -ECONNREFUSED)
		MAG_RETURN(-EPROTO);

	/* all fail: one error is the result, the first one, and all of them are in the list */
	self->replicas[0] = (struct replica){ "near", 0, -ECONNRESET, 0 };
	self->replicas[2] = (struct replica){ "far", 0, -ECONNREFUSED, 0 };
	MAG_HEDGE(self->rc, &self->hedge, &policy, ask, .replica = &self->replicas[self->hedge.started],
		  .reply = &self->replies[self->hedge.started]);
	printf("%s; %u errors; %u more may be hedged\n", mag_errname(self->rc),
	       mag_group_errors(&self->hedge.group, &self->list), mag_budget_left(&budget));
	mag_group_errors_print(&self->hedge.group, stdout);
	if (self->rc >= 0 || self->hedge.winner != -1 ||
	    mag_group_errors(&self->hedge.group, NULL) != REPLICAS)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(mag_budget_left(&budget) == 6 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "hedge: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
