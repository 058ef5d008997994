/* SPDX-License-Identifier: MIT */
/* test_worker_fair.c - nobody starves on a worker, whatever others do there for ever. */
#include "unit/play.h"

#include "task/file.h"

/* What one side does for ever must not keep the other from being done. Both run on one worker. */
struct rivals {
	struct magi_world *world;
	uint32_t done;    /* atomic: the patient one has had its turn */
	uint32_t started; /* atomic: the greedy one is at it */
	uint64_t turns;   /* of the greedy one */
};

enum { TURNS_MAX = 2000000 / PLAY_SLOWDOWN }; /* of the greedy one; by far enough for the other to come in between */

/* One turn of a greedy task; the world's clock goes on meanwhile. False: enough. */
static bool another_turn(struct rivals *r)
{
	raise_flag(&r->started);
	if (r->turns % 16 == 0)
		magi_world_advance(r->world, MAG_MICROSECOND);
	return ++r->turns < TURNS_MAX && !is_raised(&r->done);
}

struct greedy_yield {
	mag_frame frame;
	MAG_ARGS(greedy_yield, struct rivals *r;);
	int64_t rc;
};

MAG_TASK(greedy_yield)
{
	MAG_BEGIN(greedy_yield);
	while (another_turn(self->r))
		MAG_YIELD(self->rc);
	MAG_RETURN(self->r->turns < TURNS_MAX ? 0 : -ETIME);
	MAG_END;
}

struct respawn {
	mag_frame frame;
	MAG_ARGS(respawn, struct rivals *r; mag_group *group;);
	int64_t rc;
};

/* The deque is never empty: each starts the next before it ends. */
MAG_TASK(respawn)
{
	MAG_BEGIN(respawn);
	if (another_turn(self->r))
		MAG_SPAWN(self->rc, self->group, respawn, .r = self->r, .group = self->group);
	MAG_RETURN(0);
	MAG_END;
}

struct greedy_spawn {
	mag_frame frame;
	MAG_ARGS(greedy_spawn, struct rivals *r;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(greedy_spawn)
{
	MAG_BEGIN(greedy_spawn);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, respawn, .r = self->r, .group = &self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->r->turns < TURNS_MAX ? self->rc : -ETIME);
	MAG_END;
}

struct tree {
	mag_frame frame;
	MAG_ARGS(tree, struct rivals *r; uint32_t depth;);
	int64_t rc;
};

/* Never parks: the worker gets a turn by its budget only. */
MAG_TASK(tree)
{
	MAG_BEGIN(tree);
	while (another_turn(self->r) && self->depth) {
		MAG_FORK(tree, .r = self->r, .depth = self->depth - 1);
		MAG_FORK(tree, .r = self->r, .depth = self->depth - 1);
		MAG_JOIN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct greedy_fork {
	mag_frame frame;
	MAG_ARGS(greedy_fork, struct rivals *r;);
	int64_t rc;
};

MAG_TASK(greedy_fork)
{
	MAG_BEGIN(greedy_fork);
	MAG_CALL(self->rc, tree, .r = self->r, .depth = 8);
	MAG_RETURN(self->r->turns < TURNS_MAX ? self->rc : -ETIME);
	MAG_END;
}

struct nothing {
	mag_frame frame;
	MAG_NO_ARGS(nothing);
};

MAG_TASK(nothing)
{
	MAG_BEGIN(nothing);
	MAG_RETURN(0);
	MAG_END;
}

struct greedy_call {
	mag_frame frame;
	MAG_ARGS(greedy_call, struct rivals *r;);
	int64_t rc;
};

MAG_TASK(greedy_call)
{
	MAG_BEGIN(greedy_call);
	while (another_turn(self->r))
		MAG_CALL(self->rc, nothing);
	MAG_RETURN(self->r->turns < TURNS_MAX ? 0 : -ETIME);
	MAG_END;
}

/* The patient ones. */

struct patient_timer {
	mag_frame frame;
	MAG_ARGS(patient_timer, struct rivals *r;);
	int64_t rc;
};

MAG_TASK(patient_timer)
{
	MAG_BEGIN(patient_timer);
	MAG_AWAIT(self->rc, mag_sleep, 500 * MAG_MICROSECOND);
	raise_flag(&self->r->done);
	MAG_RETURN(0);
	MAG_END;
}

struct patient_yield {
	mag_frame frame;
	MAG_ARGS(patient_yield, struct rivals *r; int64_t n;);
	int64_t i, rc;
};

/* Is woken again and again. */
MAG_TASK(patient_yield)
{
	MAG_BEGIN(patient_yield);
	while (!is_raised(&self->r->started))
		MAG_YIELD(self->rc);
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_YIELD(self->rc);
	raise_flag(&self->r->done);
	MAG_RETURN(0);
	MAG_END;
}

/* One byte of a pipe. */
static mag_frame *pipe_byte(mag_worker *w, mag_frame *f, mag_fd fd, uint8_t code, char *byte)
{
	struct magi_req req = { .code = code, .addr = byte, .len = 1, .offset = UINT64_MAX };

	return magi_file_await(w, f, fd, code == MAGI_IO_READ ? MAGI_FD_READING : MAGI_FD_WRITING, &req, NULL, NULL);
}

struct patient_io {
	mag_frame frame;
	MAG_ARGS(patient_io, struct rivals *r; int raw[2];);
	mag_fd in, out;
	char byte;
	int64_t rc, end;
};

MAG_TASK(patient_io)
{
	MAG_BEGIN(patient_io);
	self->rc = mag_fd_adopt(self->raw[0], &self->in);
	if (self->rc == 0)
		self->rc = mag_fd_adopt(self->raw[1], &self->out);
	self->byte = 'x';
	MAG_AWAIT(self->rc, pipe_byte, self->out, MAGI_IO_WRITE, &self->byte);
	self->byte = 0;
	MAG_AWAIT(self->rc, pipe_byte, self->in, MAGI_IO_READ, &self->byte);
	raise_flag(&self->r->done);
	self->rc = self->rc == 1 && self->byte == 'x' ? 0 : -EIO;
	MAG_AWAIT(self->end, mag_close, self->in);
	MAG_AWAIT(self->end, mag_close, self->out);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Both are started; the greedy one says whether it had to give up. */
#define EXPECT_FAIR(greedy, patient, ...)                                                                      \
	do {                                                                                                   \
		struct play p;                                                                                 \
		struct rivals r = { 0 };                                                                       \
		mag_future first, second;                                                                      \
		play_begin(&p, 1);                                                                             \
		magi_world_hold(p.world); /* only the greedy one moves the clock */                           \
		r.world = p.world;                                                                             \
		mag_future_init(&first);                                                                       \
		mag_future_init(&second);                                                                      \
		cr_assert_eq(mag_spawn_from(p.rt, &first, patient, .r = &r, ##__VA_ARGS__), 0);                \
		cr_assert_eq(mag_spawn_from(p.rt, &second, greedy, .r = &r), 0);                               \
		cr_assert_eq(play_wait(&second), 0, "%s starved %s", #greedy, #patient);                       \
		magi_world_unhold(p.world);                                                                   \
		cr_assert_eq(play_wait(&first), 0);                                                            \
		play_end(&p);                                                                                  \
	} while (0)

/* Tried: FAIR_EVERY so large that it does not come (spawns starve woken tasks); BUDGET likewise (forks and calls starve
 * everything); look_is_due always false (timers, I/O and the inbox starve). */
Test(worker, yielding_task_starves_nobody, .timeout = 30)
{
	EXPECT_FAIR(greedy_yield, patient_timer);
	EXPECT_FAIR(greedy_yield, patient_yield, .n = 20);
}

Test(worker, tasks_that_spawn_themselves_starve_nobody, .timeout = 30)
{
	EXPECT_FAIR(greedy_spawn, patient_timer);
	EXPECT_FAIR(greedy_spawn, patient_yield, .n = 20);
}

/* Ready tasks are looked at every 61 picks at least, all of them. Tried: magi_worker_tick that begins no round; 183. */
Test(worker, woken_tasks_come_in_between_those_that_are_spawned, .timeout = 30)
{
	enum { YIELDS = 1000, PICKS = 61 };
	struct play p;
	struct rivals r = { 0 };
	mag_future first, second;

	play_begin(&p, 1);
	r.world = p.world;
	mag_future_init(&first);
	mag_future_init(&second);
	cr_assert_eq(mag_spawn_from(p.rt, &first, patient_yield, .r = &r, .n = YIELDS), 0);
	cr_assert_eq(mag_spawn_from(p.rt, &second, greedy_spawn, .r = &r), 0);
	cr_assert_eq(play_wait(&second), 0);
	cr_assert_eq(play_wait(&first), 0);
	cr_assert(r.turns < 2 * YIELDS * PICKS, "%llu picks for %d turns", (unsigned long long)r.turns, YIELDS);
	play_end(&p);
}

Test(worker, endless_tree_of_forks_starves_nobody, .timeout = 30)
{
	EXPECT_FAIR(greedy_fork, patient_timer);
	EXPECT_FAIR(greedy_fork, patient_yield, .n = 20);
}

Test(worker, endless_calls_starve_nobody, .timeout = 30)
{
	EXPECT_FAIR(greedy_call, patient_timer);
	EXPECT_FAIR(greedy_call, patient_yield, .n = 20);
}

static void start_greedy(struct play *p, mag_future *done, int which, struct rivals *r)
{
	int rc;

	if (which == 0)
		rc = mag_spawn_from(p->rt, done, greedy_yield, .r = r);
	else if (which == 1)
		rc = mag_spawn_from(p->rt, done, greedy_spawn, .r = r);
	else
		rc = mag_spawn_from(p->rt, done, greedy_fork, .r = r);
	cr_assert_eq(rc, 0);
}

static void expect_io_beside(int which)
{
	struct play p;
	struct rivals r = { 0 };
	mag_future first, second;
	int raw[2];

	play_begin(&p, 1);
	r.world = p.world;
	cr_assert_eq(magi_world_pipe(p.world, raw), 0);
	mag_future_init(&first);
	mag_future_init(&second);
	cr_assert_eq(mag_spawn_from(p.rt, &first, patient_io, .r = &r, .raw = { raw[0], raw[1] }), 0);
	start_greedy(&p, &second, which, &r);
	cr_assert_eq(play_wait(&second), 0, "I/O starved");
	cr_assert_eq(play_wait(&first), 0);
	play_end(&p);
}

Test(worker, io_is_done_beside_endless_tasks, .timeout = 30)
{
	for (int which = 0; which < 3; which++)
		expect_io_beside(which);
}

struct say_done {
	mag_frame frame;
	MAG_ARGS(say_done, struct rivals *r;);
};

MAG_TASK(say_done)
{
	MAG_BEGIN(say_done);
	raise_flag(&self->r->done);
	MAG_RETURN(0);
	MAG_END;
}

static void expect_inbox_beside(int which)
{
	struct play p;
	struct rivals r = { 0 };
	mag_future first, second;

	play_begin(&p, 1);
	r.world = p.world;
	mag_future_init(&first);
	mag_future_init(&second);
	start_greedy(&p, &second, which, &r);
	cr_assert(busy_until(&r.started, 10 * MAG_SECOND));
	cr_assert_eq(mag_spawn_from(p.rt, &first, say_done, .r = &r), 0);
	cr_assert_eq(play_wait(&second), 0, "the inbox starved");
	cr_assert_eq(play_wait(&first), 0);
	play_end(&p);
}

Test(worker, task_from_another_thread_runs_beside_endless_ones, .timeout = 30)
{
	for (int which = 0; which < 3; which++)
		expect_inbox_beside(which);
}

struct bury {
	mag_frame frame;
	MAG_ARGS(bury, struct rivals *r;);
	mag_group group;
	int64_t rc;
};

/* The oldest entry of a deque that others are pushed on top of for ever. */
MAG_TASK(bury)
{
	MAG_BEGIN(bury);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, say_done, .r = self->r);
	MAG_SPAWN(self->rc, &self->group, respawn, .r = self->r, .group = &self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->r->turns < TURNS_MAX ? self->rc : -ETIME);
	MAG_END;
}

/* A deque that is last in, first out starves its oldest. Tried: pick_oldest that skips the deque. */
Test(worker, oldest_of_the_deque_is_not_buried, .timeout = 30)
{
	struct play p;
	struct rivals r = { 0 };
	int64_t rc;

	play_begin(&p, 1);
	r.world = p.world;
	play_run(&p, rc, bury, .r = &r);
	cr_assert_eq(rc, 0, "starved");
	play_end(&p);
}

struct pin_beside {
	mag_frame frame;
	MAG_ARGS(pin_beside, struct rivals *r;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(pin_beside)
{
	MAG_BEGIN(pin_beside);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_ON(self->rc, 0, &self->group, patient_yield, .r = self->r, .n = 20);
	MAG_SPAWN(self->rc, &self->group, greedy_yield, .r = self->r);
	MAG_SPAWN(self->rc, &self->group, respawn, .r = self->r, .group = &self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->r->turns < TURNS_MAX ? self->rc : -ETIME);
	MAG_END;
}

/* Tried: pick that takes them last. */
Test(worker, pinned_task_has_its_turn_beside_endless_ones, .timeout = 30)
{
	struct play p;
	struct rivals r = { 0 };
	int64_t rc;

	play_begin(&p, 1);
	r.world = p.world;
	play_run(&p, rc, pin_beside, .r = &r);
	cr_assert_eq(rc, 0, "starved");
	play_end(&p);
}
