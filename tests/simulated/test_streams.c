/* SPDX-License-Identifier: MIT */
/* test_streams.c - streams whose stages run tasks, on many schedules, and with every fault in turn: what a function has made
 * is given or discarded, and nothing is left, however the asker leaves. */
#include "simulated/seeds.h"
#include "simulated/turns.h"

enum { ITEMS = 7, AT_ONCE = 2 };

struct stocker {
	mag_frame frame;
	MAG_ARGS(stocker, mag_queue *queue;);
	int64_t rc;
	int item;
};

MAG_TASK(stocker)
{
	MAG_BEGIN(stocker);
	self->rc = 0;
	for (self->item = 0; self->item < ITEMS && self->rc == 0; self->item++) {
		MAG_AWAIT(self->rc, mag_sleep, (uint64_t)self->item % 3 * MAG_MICROSECOND);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->item);
	}
	mag_queue_close(self->queue);
	MAG_RETURN(0);
	MAG_END;
}

/* Takes a while, longer for some; what it has made is in the ledger until somebody has it. */
struct craft {
	mag_frame frame;
	MAG_ARGS(craft, const int *in; int64_t *out; void *ctx;);
	int64_t rc;
};

MAG_TASK(craft)
{
	MAG_BEGIN(craft);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(*self->in * 5 % 4 + 1) * MAG_MICROSECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->out = *self->in;
	mag_ledger_add("made", 1);
	MAG_RETURN(0);
	MAG_END;
}

static void throw_away(void *ctx, void *item)
{
	(void)ctx;
	(void)item;
	mag_ledger_add("made", -1);
}

/* Asks with deadlines, and leaves in the middle or at the end. */
struct workshop {
	mag_frame frame;
	MAG_ARGS(workshop, bool as_completed; int take;);
	mag_queue queue;
	mag_stream_queue source;
	mag_stream_crew crew;
	mag_group group;
	mag_scope scope;
	int64_t rc, why, item, started, opened;
	int got, sum;
};

MAG_TASK(workshop)
{
	MAG_BEGIN(workshop);
	self->got = self->sum = 0;
	if (mag_queue_init(&self->queue, 1, sizeof(int)) < 0)
		MAG_RETURN(0);
	mag_sim_assert(mag_stream_queue_init(&self->source, &self->queue) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->started, &self->group, stocker, .queue = &self->queue);
	MAG_STREAM_BUFFERED(self->opened, &self->crew, &self->source.stream, sizeof(int64_t), MAG_STREAM_FN(craft),
			    .limit = AT_ONCE, .as_completed = self->as_completed, .discard = throw_away);
	self->rc = self->opened;
	while (self->rc == 0 && self->started == 0 && self->got < self->take) {
		MAG_WITH_TIMEOUT(&self->scope, 3 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
			self->rc = 0;
			continue;
		}
		if (self->rc <= 0)
			break;
		mag_ledger_add("made", -1);
		mag_sim_assert(self->as_completed || self->item == self->got);
		self->got++;
		self->sum += (int)self->item;
		self->rc = 0;
	}
	mag_sim_assert(self->rc < 0 || self->started < 0 || self->got == self->take || self->got == ITEMS);
	mag_sim_assert(self->got < ITEMS || self->sum == ITEMS * (ITEMS - 1) / 2);
	if (self->opened == 0) {
		MAG_AWAIT(self->why, mag_stream_close, &self->crew.stream);
		mag_sim_assert(self->why == 0);
	}
	mag_queue_close(&self->queue);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* In order and as completed, to the middle and to the end. */
struct all_ways {
	mag_frame frame;
	MAG_NO_ARGS(all_ways);
	int64_t rc;
	int way;
};

MAG_TASK(all_ways)
{
	MAG_BEGIN(all_ways);
	for (self->way = 0; self->way < 4; self->way++)
		MAG_CALL(self->rc, workshop, .as_completed = self->way & 1, .take = self->way & 2 ? ITEMS + 1 : 3 + self->way);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(streams, what_is_made_is_given_or_discarded_whatever_fails, all_ways, 1.0)

static int64_t run_all_ways(uint64_t seed)
{
	return mag_sim_run(seed, NULL, all_ways);
}

Test(streams, what_is_made_is_given_or_discarded, .timeout = 36000)
{
	run_all("streams", run_all_ways);
}
