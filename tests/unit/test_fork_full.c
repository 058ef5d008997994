/* SPDX-License-Identifier: MIT */
/* test_fork_full.c - forks and spawns into a full deque: the child runs in its parent's place, and lets it go when it
 * suspends. Run once more with a deque of two entries: cmake/small.cmake. */
#include "gates.h"

/* The innermost child of a chain of forks waits for the next step of each of its ancestors in turn. */
enum { DEEPEST = MAGI_DEQUE_CAPACITY + 4 };

struct chain_state {
	mag_future gate[DEEPEST + 1];
	bool outermost_first;
	int depth;
};

struct chain {
	mag_frame frame;
	MAG_ARGS(chain, struct chain_state *s; int left;);
	int64_t rc;
	int i;
};

MAG_TASK(chain)
{
	MAG_BEGIN(chain);
	if (self->left == 0) {
		for (self->i = 0; self->i < self->s->depth; self->i++) {
			MAG_AWAIT(self->rc, mag_future_await,
				  &self->s->gate[self->s->outermost_first ? self->s->depth - self->i : self->i + 1]);
			CHECK(self->rc == 0);
		}
		MAG_RETURN(0);
	}
	MAG_FORK(chain, .s = self->s, .left = self->left - 1);
	mag_future_complete(&self->s->gate[self->left], 0);
	MAG_JOIN(self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: without releasing the parent in magi_wait_begin, or in magi_join_wait, it hangs. */
Test(fork_full, a_child_may_wait_for_its_parents_next_step_at_every_depth, .timeout = 60)
{
	static struct chain_state s;

	EACH_WORKERS(n) {
		for (int depth = 1; depth <= DEEPEST; depth += depth == 8 && DEEPEST > 16 ? DEEPEST - 16 : 1) {
			for (int order = 0; order < 2; order++) {
				s = (struct chain_state){ .outermost_first = order, .depth = depth };
				for (int i = 0; i <= DEEPEST; i++)
					mag_future_init(&s.gate[i]);
				cr_assert_eq(RUN(n, chain, .s = &s, .left = depth), 0);
				for (int i = 0; i <= DEEPEST; i++)
					mag_future_fini(&s.gate[i]);
			}
		}
	}
}

/* A child in its parent's place that suspends in some way, and can go on only after the parent's next step. */
enum suspension {
	AWAITS, YIELDS_ON, SLEEPS, JOINS, ENDS_GROUP, WAITS_FOR_PLACE, ASKS_GENERATOR, CALLS, CLOSES, LEAVES_IT,
	SUSPENSIONS
};

struct in_place_state {
	mag_future gate;
	uint32_t parent_went_on, ended;
	bool alone; /* one worker: the parent goes on before anything completes */
	struct magi_world *world;
	int fd;
};

struct asked {
	mag_frame frame;
	MAG_ARGS(asked, mag_future *gate;);
	int64_t rc;
};

MAG_TASK(asked)
{
	MAG_BEGIN(asked);
	MAG_AWAIT(self->rc, mag_future_await, self->gate);
	MAG_EMIT(self->rc, 1);
	MAG_RETURN(0);
	MAG_END;
}

struct in_place {
	mag_frame frame;
	MAG_ARGS(in_place, struct in_place_state *s; enum suspension how;);
	mag_generator gen;
	mag_group group;
	mag_fd fd;
	int64_t rc;
	int item;
};

MAG_TASK(in_place)
{
	MAG_BEGIN(in_place);
	if (self->how == AWAITS)
		MAG_AWAIT(self->rc, mag_future_await, &self->s->gate);
	while (self->how == YIELDS_ON && !is_raised(&self->s->parent_went_on))
		MAG_YIELD(self->rc);
	if (self->how == SLEEPS)
		MAG_AWAIT(self->rc, mag_sleep, REST);
	if (self->how == JOINS || self->how == LEAVES_IT)
		MAG_FORK(waiter, .gate = &self->s->gate);
	if (self->how == JOINS)
		MAG_JOIN(self->rc);
	if (self->how == ENDS_GROUP || self->how == WAITS_FOR_PLACE) {
		MAG_GROUP_BEGIN(&self->group, .limit = 1);
		MAG_SPAWN(self->rc, &self->group, waiter, .gate = &self->s->gate);
		if (self->how == WAITS_FOR_PLACE)
			MAG_SPAWN(self->rc, &self->group, idler, .result = 0);
		MAG_GROUP_END(self->rc, &self->group);
	}
	if (self->how == ASKS_GENERATOR) {
		MAG_GENERATE(self->rc, &self->gen, asked, .gate = &self->s->gate);
		MAG_NEXT(self->rc, &self->gen, &self->item);
		CHECK(self->rc == 1);
		MAG_CLOSE(&self->gen);
	}
	if (self->how == CALLS)
		MAG_CALL(self->rc, waiter, .gate = &self->s->gate);
	if (self->how == CLOSES) {
		CHECK(mag_fd_adopt(self->s->fd, &self->fd) == 0);
		MAG_AWAIT(self->rc, mag_close, self->fd);
		CHECK(self->rc == 0);
	}
	if (self->how != LEAVES_IT && (self->how != CLOSES || self->s->alone))
		CHECK(is_raised(&self->s->parent_went_on));
	raise_flag(&self->s->ended);
	MAG_RETURN(0);
	MAG_END;
}

struct full {
	mag_frame frame;
	MAG_ARGS(full, struct magi_world *world; enum suspension how; bool spawns;);
	struct in_place_state s;
	mag_group group;
	int64_t rc;
	int i, fds[2];
};

MAG_TASK(full)
{
	MAG_BEGIN(full);
	mag_future_init(&self->s.gate);
	self->s.parent_went_on = self->s.ended = 0;
	self->s.alone = mag_runtime_workers(mag_runtime_current()) == 1 &&
			!(self->frame.leader->flags & MAGI_PINNED);
	CHECK(magi_world_pipe(self->world, self->fds) == 0);
	self->s.fd = self->fds[0];
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < MAGI_DEQUE_CAPACITY; self->i++)
		MAG_SPAWN(self->rc, &self->group, idler, .result = 0); /* one worker: they lie until it pauses */
	if (self->spawns)
		MAG_SPAWN(self->rc, &self->group, in_place, .s = &self->s, .how = self->how);
	else
		MAG_FORK(in_place, .s = &self->s, .how = self->how);
	raise_flag(&self->s.parent_went_on);
	mag_future_complete(&self->s.gate, 0);
	MAG_JOIN(self->rc);
	CHECK(self->rc == 0 && (self->spawns || is_raised(&self->s.ended)));
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && is_raised(&self->s.ended));
	mag_future_fini(&self->s.gate);
	magi_world_close(self->world, self->fds[0]);
	magi_world_close(self->world, self->fds[1]);
	MAG_RETURN(0);
	MAG_END;
}

struct full_on {
	mag_frame frame;
	MAG_ARGS(full_on, struct magi_world *world; enum suspension how; bool spawns; uint32_t on;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(full_on)
{
	MAG_BEGIN(full_on);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_ON(self->rc, self->on, &self->group, full, .world = self->world, .how = self->how,
		     .spawns = self->spawns);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried, one at a time: no release of the parent in magi_wait_begin, mag_yield, magi_join_wait, magi_group_end,
 * mag_close: the way of suspending that goes through it hangs, or ends before the parent went on. */
Test(fork_full, a_child_in_its_parents_place_releases_it_in_every_way_of_suspending, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (int variant = 0; variant < 4; variant++) {
			for (enum suspension how = AWAITS; how < SUSPENSIONS; how++) {
				struct play p;
				int64_t rc;

				play_begin(&p, n);
				if (variant & 1)
					play_run(&p, rc, full_on, .world = p.world, .how = how, .spawns = variant & 2,
						 .on = n - 1);
				else
					play_run(&p, rc, full, .world = p.world, .how = how, .spawns = variant & 2);
				cr_assert_eq(rc, 0);
				play_end(&p);
			}
		}
	}
}
