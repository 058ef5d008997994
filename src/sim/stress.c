/* SPDX-License-Identifier: MIT */
/* stress.c - a program many times at once on real threads, which are delayed, and whose tasks are moved and cancelled, at
 * random.
 *
 * What:    each thread of the run has a host of its own (base/host.h) that answers as the system does, and takes its time
 *          at points.
 * Who:     the thread that called mag_stress, and those that its runtime starts.
 * Pairs:   [stat] counters; [failed] the words are stored before it (release), and loaded after it (acquire) */
#include <errno.h>
#include <inttypes.h>
#include <magpie/options.h>
#include <magpie/runtime.h>
#include <magpie/stress.h>
#include <magpie/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sched/cpus.h"
#include "sim/ledger.h"
#include "sim/meddle.h"
#include "task/wait.h"

enum { AT_ONCE = 32, CANCEL_IN = 4, WORKERS_LEAST = 4 };

#define TIME (1 * MAG_SECOND)
#define LIMIT (10 * MAG_SECOND)
#define CANCEL_WITHIN (5 * MAG_MILLISECOND)
#define WATCHED \
	(200 * MAG_MILLISECOND)    /* so long after its limit an instance is cancelled: it has been told of by then */
#define PATIENCE (10 * MAG_SECOND) /* beyond all limits: who ignores its cancel is not waited for */

struct stress {
	mag_stress_options options;
	mag_stress_result result;
	const mag_program *program;
	mag_runtime *rt; /* constant while it runs */
	struct magi_ledger ledger;
	struct magi_random random; /* the driver's */
	uint64_t steps;            /* atomic */
	uint64_t runs, cancelled;  /* atomic */
	mag_future done;           /* the driver's */
	bool left;                 /* tasks or jobs went on after the end */
	uint32_t failing;          /* atomic: somebody writes the words */
	uint32_t failed;           /* atomic: they are there */
};

static void fail(struct stress *s, const char *what, int64_t rc)
{
	if (magi_xchg_ar(&s->failing, 1u)) /* [failed] */
		return;
	snprintf(s->result.failure, sizeof(s->result.failure), "%s %s", what, rc < 0 ? mag_errname(rc) : "");
	if (s->rt && !s->options.quiet) /* at once: the others are cancelled next */
		mag_runtime_dump(s->rt, STDERR_FILENO);
	magi_store_rel(&s->failed, 1u); /* [failed] */
}

/* Calls the program from a task: its arguments are known at run time only. */
static MAG_OP call_program(MAG_OP_ARGS, const mag_program *p)
{
	mag_frame *child = magi_frame_take(w, p->cls, p->frame_size);

	if (!child)
		return magi_wait_done(w, f, -ENOMEM);
	memcpy((char *)child + p->at, p->args, p->args_size);
	return magi_call(f, child, p->step, p->cls);
}

/* Beside an instance: says what it waits for while it still does. */
struct watch {
	mag_frame frame;
	MAG_ARGS(watch, struct stress *stress;);
	int64_t rc;
};

MAG_TASK(watch)
{
	MAG_BEGIN(watch);
	MAG_AWAIT(self->rc, mag_sleep, self->stress->options.limit_ns);
	if (self->rc == 0)
		fail(self->stress, "an instance did not end in time:", MAG_ETIMEDOUT);
	MAG_RETURN(0);
	MAG_END;
}

/* One run of the program. */
struct instance {
	mag_frame frame;
	MAG_ARGS(instance, struct stress *stress; uint64_t limit; bool cancelled;);
	mag_group watched;
	mag_scope scope;
	int64_t rc, end, waste;
};

MAG_TASK(instance)
{
	MAG_BEGIN(instance);
	MAG_GROUP_BEGIN(&self->watched);
	if (!self->cancelled)
		MAG_SPAWN(self->rc, &self->watched, watch, .stress = self->stress);
	MAG_WITH_TIMEOUT(&self->scope, self->limit);
	MAG_AWAIT(self->rc, call_program, self->stress->program);
	MAG_SCOPE_END(self->end, &self->scope);
	mag_group_cancel(&self->watched);
	MAG_GROUP_END(self->waste, &self->watched);
	magi_add_rlx(&self->stress->runs, 1); /* [stat] */
	if (self->cancelled)
		magi_add_rlx(&self->stress->cancelled, 1); /* [stat] */
	else if (self->end == MAG_ETIMEDOUT)
		fail(self->stress, "an instance did not end in time:", MAG_ETIMEDOUT); /* nobody could watch it */
	else if (self->rc < 0)
		fail(self->stress, "an instance returned", self->rc);
	MAG_RETURN(0);
	MAG_END;
}

struct driver {
	mag_frame frame;
	MAG_ARGS(driver, struct stress *stress;);
	mag_group group;
	uint64_t end, limit;
	int64_t rc;
	bool cancelled;
};

static void draw(struct driver *self)
{
	struct stress *s = self->stress;
	uint32_t in = s->options.cancel_in;

	self->cancelled = in != UINT32_MAX && magi_random_below(&s->random, in) == 0;
	self->limit = self->cancelled ? magi_random_below(&s->random, CANCEL_WITHIN) : s->options.limit_ns + WATCHED;
}

MAG_TASK(driver)
{
	MAG_BEGIN(driver);
	self->end = mag_now() + self->stress->options.ns;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = self->stress->options.at_once);
	while (mag_now() < self->end && !magi_load_acq(&self->stress->failed)) { /* [failed] */
		draw(self);
		MAG_SPAWN(self->rc, &self->group, instance, .stress = self->stress, .limit = self->limit,
			  .cancelled = self->cancelled);
		if (self->rc < 0) {
			fail(self->stress, "an instance could not be started:", self->rc);
			break;
		}
	}
	if (magi_load_acq(&self->stress->failed)) /* [failed] */
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

static int take_options(struct stress *s, const mag_stress_options *given)
{
	mag_stress_options *o = &s->options;

	if (mag_options_take(o, sizeof(*o), given) < 0 || o->workers > MAG_WORKERS_MAX)
		return -EINVAL;
	if (!o->workers) {
		o->workers = 2 * magi_cpus_allowed();
		o->workers = o->workers < WORKERS_LEAST ? WORKERS_LEAST : o->workers;
		o->workers = o->workers > MAG_WORKERS_MAX ? MAG_WORKERS_MAX : o->workers;
	}
	o->at_once = o->at_once ? o->at_once : AT_ONCE;
	o->ns = o->ns ? o->ns : TIME;
	o->limit_ns = o->limit_ns ? o->limit_ns : LIMIT;
	o->cancel_in = o->cancel_in ? o->cancel_in : CANCEL_IN;
	magi_random_seed(&s->random, o->seed);
	return 0;
}

static void check_end(struct stress *s, mag_runtime *rt)
{
	const struct magi_ledger_line *off = magi_ledger_off(&s->ledger);
	mag_stats stats = { .size = sizeof(stats) };
	char text[160];

	mag_runtime_stats(rt, &stats);
	if (off) {
		snprintf(text, sizeof(text), "the ledger is off: %s by %" PRId64, off->name, off->sum);
		fail(s, text, 0);
	}
	if (s->ledger.full)
		fail(s, "the ledger has too many lines", 0);
	if (stats.fds)
		fail(s, "files were left open", 0);
}

static int64_t run(struct stress *s)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = s->options.workers };
	uint64_t deadline = magi_saturate_add(s->options.ns, s->options.limit_ns) + PATIENCE;
	mag_runtime *rt;
	int64_t rc = mag_runtime_create(&options, &rt);

	if (rc < 0)
		return rc;
	s->rt = rt;
	mag_future_init(&s->done);
	rc = mag_spawn_from(rt, &s->done, driver, .stress = s);
	if (rc == 0 && mag_future_wait(&s->done, &rc, mag_deadline_in(deadline)) == 0)
		check_end(s, rt);
	else
		fail(s, rc < 0 ? "it could not start:" : "an instance does not end, not even cancelled", rc);
	s->left = mag_runtime_destroy(rt, mag_deadline_in(PATIENCE)) != 0;
	return rc;
}

static void report(const struct stress *s)
{
	const mag_stress_result *r = &s->result;

	fprintf(stderr, "magpie: stress of %s failed: %s\n", s->program->name, r->failure);
	fprintf(stderr, "  %u workers, %" PRIu64 " instances, %" PRIu64 " of them cancelled, %" PRIu64 " points\n",
		s->options.workers, r->runs, r->cancelled, r->steps);
}

int64_t magi_stress(const mag_stress_options *options, mag_stress_result *result, size_t result_size,
		    const mag_program *program)
{
	struct stress *s = calloc(1, sizeof(*s));
	int64_t rc;

	if (!s)
		return -ENOMEM;
	s->program = program;
	rc = magi_self() || magi_host() ? MAG_EDEADLK : take_options(s, options);
	if (program->size != sizeof(*program) || program->abi != MAGI_ABI)
		rc = MAG_EABI;
	if (rc == 0)
		rc = magi_meddle_begin(&s->ledger, &s->steps, s->options.seed);
	if (rc == 0) {
		rc = run(s);
		magi_meddle_end();
	}
	s->result.runs = magi_load_rlx(&s->runs);           /* [stat] */
	s->result.cancelled = magi_load_rlx(&s->cancelled); /* [stat] */
	s->result.steps = magi_load_rlx(&s->steps);         /* [stat] */
	if (magi_load_acq(&s->failed)) {                    /* [failed] */
		rc = rc < 0 ? rc : MAG_ESIM;
		if (!s->options.quiet)
			report(s);
	}
	if (result)
		memcpy(result, &s->result, result_size < sizeof(*result) ? result_size : sizeof(*result));
	if (!s->left) /* else its tasks still use it */
		free(s);
	return rc;
}
