/* SPDX-License-Identifier: MIT */
/* round.c - see round.h. */
#include "linear/round.h"

#include <stdlib.h>
#include <string.h>

#include "task/wait.h"

enum {
	DEADLINE_US = 40, /* below this: most of them come while the operation is under way */
	LINGER = 60,      /* pauses between operations, at most */
	YIELDS = 3,       /* one in so many operations lets other tasks run first */
	PATIENCE = 6,     /* looks at waiting lanes before they are helped, at most */
	LOOKS = 64,       /* by yielding; after that the worker lets others have its CPU: they may have more threads */
	LOOK_NS = 100000, /* between looks then */
	OPS_FOR_LANES = LINEAR_OPS - 8
};

/* A lane's door to being cancelled by others. */
struct door {
	magi_lock lock;
	bool open;
	mag_scope *scope;
};

struct linear_round {
	union {
		uint64_t words[LINEAR_OBJECT_BYTES / 8];
		max_align_t align;
	} object;
	const struct linear_object *kind;
	struct linear_report *report;
	struct linear_search search;
	uint64_t seed;
	uint32_t lanes, ops_each;
	bool pinned, sleeps; /* the lanes; who looks on */
	uint32_t stamp;      /* atomic: the last one given */
	uint32_t arrived;    /* atomic: lanes that have begun */
	uint32_t done;       /* atomic: lanes that have ended */
	uint32_t returned;   /* atomic: operations of lanes that have returned */
	uint32_t strange;    /* atomic: 1 + the lane that was cancelled by nobody */
	uint32_t count[LINEAR_LANES];
	struct linear_op op[LINEAR_LANES][LINEAR_OPS];
	struct door door[LINEAR_LANES];
	struct linear_history history;
	struct magi_random random;
};

uint32_t linear_waiting(struct magi_waitq *q)
{
	uint32_t n;

	magi_lock_acquire(magi_waitq_lock(q));
	n = q->count;
	magi_lock_release(magi_waitq_lock(q));
	return n;
}

static uint32_t stamp(struct linear_round *r)
{
	return magi_add_ar(&r->stamp, 1u) + 1; /* [stamp] */
}

/* A lane. */

static struct linear_op *next_op(struct linear_round *r, uint32_t lane)
{
	struct linear_op *op = &r->op[lane][r->count[lane]++];

	*op = (struct linear_op){ .lane = (uint8_t)lane };
	return op;
}

static void linger(struct magi_random *random)
{
	for (uint32_t n = magi_random_below(random, 2) ? magi_random_below(random, LINGER) : 0; n > 0; n--)
		magi_pause();
}

static void draw_limit(struct linear_lane_state *lane, struct linear_op *op)
{
	switch (op->awaits ? magi_random_below(&lane->random, 4) : 0) {
	case 1:
		op->limit = LINEAR_DEADLINE;
		op->deadline_us = magi_random_below(&lane->random, DEADLINE_US);
		break;
	case 2:
		op->limit = LINEAR_BY_OTHERS;
		break;
	default:
		op->limit = LINEAR_FREE;
	}
}

static void open_door(struct door *door, mag_scope *scope)
{
	magi_lock_acquire(&door->lock);
	door->open = true;
	door->scope = scope;
	magi_lock_release(&door->lock);
}

static void close_door(struct door *door)
{
	magi_lock_acquire(&door->lock);
	door->open = false;
	magi_lock_release(&door->lock);
}

/* Its scope is not left meanwhile: it has to close its door first. */
static void cancel_neighbour(struct linear_round *r, struct linear_lane_state *lane)
{
	struct door *door = &r->door[magi_random_below(&lane->random, r->lanes)];

	magi_lock_acquire(&door->lock);
	if (door->open)
		mag_scope_cancel(door->scope);
	magi_lock_release(&door->lock);
}

static mag_frame *await_op(mag_worker *w, mag_frame *f, struct linear_round *r, struct linear_op *op)
{
	return r->kind->await(w, f, &r->object, op);
}

static void end_op(struct linear_round *r, struct linear_lane_state *lane, struct linear_op *op, int64_t result)
{
	op->result = result;
	op->reply = stamp(r);
	if (r->kind->book)
		r->kind->book(lane, op);
	magi_add_ar(&r->returned, 1u); /* [returned] */
}

struct linear_lane {
	mag_frame frame;
	MAG_ARGS(linear_lane, struct linear_round *r; uint32_t index;);
	struct linear_lane_state state;
	mag_scope scope;
	struct linear_op *op;
	uint32_t looks;
	int64_t rc, why;
};

static void lane_begin(struct linear_lane *self)
{
	self->state = (struct linear_lane_state){ .index = self->index, .left = self->r->ops_each };
	magi_random_seed(&self->state.random, self->r->seed * LINEAR_LANES + self->index);
	magi_add_ar(&self->r->arrived, 1u); /* [arrived] */
}

static bool lane_goes_on(struct linear_lane *self)
{
	struct linear_round *r = self->r;

	if (self->state.left == 0)
		return false;
	self->op = next_op(r, self->index);
	r->kind->draw(&self->state, self->op);
	self->state.left--;
	draw_limit(&self->state, self->op);
	if (magi_random_below(&self->state.random, 6) == 0)
		cancel_neighbour(r, &self->state);
	linger(&self->state.random);
	return true;
}

MAG_TASK(linear_lane)
{
	MAG_BEGIN(linear_lane);
	lane_begin(self);
	for (self->looks = 0; magi_load_acq(&self->r->arrived) < self->r->lanes; self->looks++) { /* [arrived] */
		if (self->looks < LOOKS)
			MAG_YIELD(self->rc);
		else
			MAG_AWAIT(self->rc, mag_sleep, LOOK_NS);
		if (self->rc < 0)
			break;
	}
	while (lane_goes_on(self)) {
		if (magi_random_below(&self->state.random, YIELDS) == 0)
			MAG_YIELD(self->rc);
		if (!self->op->awaits) {
			self->op->call = stamp(self->r);
			end_op(self->r, &self->state, self->op,
			       self->r->kind->act(w, &self->frame, &self->r->object, self->op));
			continue;
		}
		MAG_WITH_TIMEOUT(&self->scope, self->op->limit == LINEAR_DEADLINE
						       ? self->op->deadline_us * MAG_MICROSECOND
						       : MAG_NEVER);
		if (self->op->limit == LINEAR_BY_OTHERS)
			open_door(&self->r->door[self->index], &self->scope);
		self->op->call = stamp(self->r);
		MAG_AWAIT(self->rc, await_op, self->r, self->op);
		end_op(self->r, &self->state, self->op, self->rc);
		close_door(&self->r->door[self->index]);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_ECANCELED && self->why == 0)
			magi_store_rel(&self->r->strange, 1 + self->index); /* [strange] */
	}
	self->op = &self->r->op[self->index][self->r->count[self->index]];
	*self->op = (struct linear_op){ .lane = (uint8_t)self->index };
	if (self->r->kind->last && self->r->kind->last(&self->state, self->op)) {
		self->r->count[self->index]++;
		self->op->call = stamp(self->r);
		end_op(self->r, &self->state, self->op,
		       self->r->kind->act(w, &self->frame, &self->r->object, self->op));
	}
	magi_add_ar(&self->r->done, 1u); /* [done] */
	MAG_RETURN(0);
	MAG_END;
}

/* What is said of a round that failed. */

static void tell(struct linear_round *r, uint32_t workers, const char *what)
{
	struct linear_report *report = r->report;
	FILE *to = fmemopen(report->text, sizeof(report->text), "w");

	report->failed = true;
	if (!to)
		return;
	fprintf(to, "%s: %s\nMAGPIE_SEED=0x%llx begins with this round: %u lanes%s on %u workers, shape %d, %d\n",
		r->kind->spec->name, what, (unsigned long long)r->seed, r->lanes,
		r->pinned ? ", each at its place," : "", workers, r->history.config[0], r->history.config[1]);
	linear_print(to, r->kind->spec, &r->history);
	fprintf(to, "one at a time, as far as it goes:\n");
	linear_print_order(to, &r->search, r->kind->spec, &r->history);
	fclose(to);
}

/* The round. */

static void gather(struct linear_round *r)
{
	struct linear_history *h = &r->history;

	h->n = 0;
	h->lanes = r->lanes;
	for (uint32_t lane = 0; lane < LINEAR_LANES; lane++) {
		for (uint32_t i = 0; i < r->count[lane] && h->n < LINEAR_OPS; i++)
			h->op[h->n++] = r->op[lane][i];
	}
	linear_sort(h);
}

static void count(struct linear_round *r)
{
	struct linear_report *report = r->report;
	const struct linear_history *h = &r->history;

	report->rounds++;
	report->ops += h->n;
	for (uint32_t i = 0; i < h->n; i++) {
		report->cancelled += linear_was_cancelled(&h->op[i]);
		for (uint32_t k = 0; k < i; k++) {
			if (h->op[k].lane != h->op[i].lane && h->op[k].reply > h->op[i].call) {
				report->overlaps++;
				break;
			}
		}
	}
}

/* stuck: who helped changed nothing. */
static void judge(struct linear_round *r, uint32_t workers, bool stuck, int ended)
{
	bool linear;

	gather(r);
	count(r);
	linear = linear_check(&r->search, r->kind->spec, &r->history);
	r->report->states += r->search.n;
	if (stuck)
		tell(r, workers, "lanes wait that nothing wakes: they were cancelled in the end");
	else if (!linear)
		tell(r, workers, "not linearizable");
	else if (r->strange)
		tell(r, workers, "an await was cancelled, but its scope was not");
	else if (ended < 0)
		tell(r, workers, "it could not be ended after all lanes had");
}

static int begin(struct linear_round *r, uint64_t seed)
{
	magi_random_seed(&r->random, seed);
	r->seed = seed;
	r->lanes = 2 + magi_random_below(&r->random, 3);
	r->ops_each = 2 + magi_random_below(&r->random, LINEAR_LANE_OPS - 1);
	if (r->ops_each > OPS_FOR_LANES / r->lanes - 1)
		r->ops_each = OPS_FOR_LANES / r->lanes - 1;
	r->pinned = magi_random_below(&r->random, 3) > 0;
	r->sleeps = magi_random_below(&r->random, 8) == 0;
	r->arrived = r->done = r->returned = r->stamp = r->strange = 0;
	memset(r->count, 0, sizeof(r->count));
	memset(r->history.config, 0, sizeof(r->history.config));
	return r->kind->make(&r->object, &r->random, r->history.config);
}

enum help { HELPED, STUCK, TIRED };

struct one_round {
	mag_frame frame;
	MAG_ARGS(one_round, struct linear_round *r;);
	mag_group group;
	struct linear_op *op;
	int64_t rc;
	uint32_t i, patience, returned, workers, first;
	bool helped;
	uint32_t helping; /* enum help */
};

/* All lanes that are not done wait. Who is done is counted first: nobody is counted twice. */
static bool all_wait(struct linear_round *r)
{
	uint32_t done = magi_load_acq(&r->done); /* [done] */

	return done + linear_waiting(r->kind->waitq(&r->object)) >= r->lanes;
}

/* Lets a waiting lane go on, if there is still room for that in the history. */
static enum help help(struct linear_round *r, struct one_round *self, mag_worker *w)
{
	uint32_t returned = magi_load_acq(&r->returned); /* [returned] */
	uint32_t lane = LINEAR_LANES - 1;

	if (!r->kind->help || (self->helped && self->returned == returned))
		return STUCK;
	if (r->count[lane] == LINEAR_OPS - OPS_FOR_LANES)
		return TIRED;
	self->helped = true;
	self->returned = returned;
	self->op = next_op(r, lane);
	r->kind->help(self->op);
	r->report->waited++;
	self->op->call = stamp(r);
	self->op->result = r->kind->act(w, &self->frame, &r->object, self->op);
	self->op->reply = stamp(r);
	return HELPED;
}

MAG_TASK(one_round)
{
	MAG_BEGIN(one_round);
	self->workers = mag_runtime_workers(mag_runtime_current());
	self->first = magi_random_below(&self->r->random, self->workers);
	self->patience = 0;
	self->helped = false;
	self->helping = HELPED;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->r->lanes; self->i++) {
		if (self->r->pinned)
			MAG_SPAWN_ON(self->rc, (self->first + self->i) % self->workers, &self->group, linear_lane,
				     .r = self->r, .index = self->i);
		else
			MAG_SPAWN(self->rc, &self->group, linear_lane, .r = self->r, .index = self->i);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	for (self->i = 0; magi_load_acq(&self->r->done) < self->r->lanes; self->i++) { /* [done] */
		if (self->i < LOOKS && !self->r->sleeps)
			MAG_YIELD(self->rc);
		else
			MAG_AWAIT(self->rc, mag_sleep, LOOK_NS);
		if (self->rc < 0)
			break;
		if (!all_wait(self->r) || magi_load_acq(&self->r->done) == self->r->lanes) { /* [done] */
			self->patience = magi_random_below(&self->r->random, PATIENCE);
			continue;
		}
		if (self->patience > 0) {
			self->patience--;
			continue;
		}
		self->helping = help(self->r, self, w);
		if (self->helping != HELPED) {
			mag_group_cancel(&self->group);
			break;
		}
	}
	MAG_GROUP_END(self->rc, &self->group);
	if (self->rc < 0 && self->helping == HELPED)
		MAG_RETURN(self->rc);
	judge(self->r, self->workers, self->helping == STUCK, self->r->kind->end(&self->r->object));
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(linear_rounds)
{
	MAG_BEGIN(linear_rounds);
	self->round = calloc(1, sizeof(*self->round));
	if (!self->round)
		MAG_RETURN(-ENOMEM);
	self->round->kind = self->object;
	self->round->report = self->report;
	for (self->i = 0; self->i < self->rounds && !self->report->failed; self->i++) {
		self->rc = begin(self->round, self->seed + self->i);
		if (self->rc == 0)
			MAG_CALL(self->rc, one_round, .r = self->round);
		if (self->rc < 0)
			break;
	}
	linear_search_fini(&self->round->search);
	free(self->round);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}
