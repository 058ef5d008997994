/* SPDX-License-Identifier: MIT */
/* streams.h - what the tests of streams share: numbers, functions of stages, a generator that counts its
 * cleaning up, an async function that counts how many run. */
#ifndef MAGPIE_TESTS_STREAMS_H
#define MAGPIE_TESTS_STREAMS_H

#include "gates.h"

static inline bool is_even(void *ctx, const void *item)
{
	(void)ctx;
	return *(const int *)item % 2 == 0;
}

static inline bool is_below(void *ctx, const void *item)
{
	return *(const int *)item < *(const int *)ctx;
}

static inline int square(void *ctx, const void *in, void *out)
{
	const int n = *(const int *)in;

	(void)ctx;
	*(int64_t *)out = (int64_t)n * n;
	return 0;
}

static inline int add_int(void *ctx, const void *item)
{
	*(int64_t *)ctx += *(const int *)item;
	return 0;
}

static inline int add_long(void *ctx, const void *item)
{
	*(int64_t *)ctx += *(const int64_t *)item;
	return 0;
}

/* 0 … without an end. */
static inline int count_up(void *ctx, void *item)
{
	*(int *)item = (*(int *)ctx)++;
	return 1;
}

/* Emits 0 … n-1, waits before each, then returns `result`; cleaning up takes a while. */
struct emitter {
	mag_frame frame;
	MAG_ARGS(emitter, int n; uint64_t pause; int64_t result; uint32_t *cleaned;);
	mag_scope shield;
	int64_t rc;
	int i;
};

MAG_TASK(emitter)
{
	MAG_BEGIN(emitter);
	self->rc = 0;
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->pause)
			MAG_AWAIT(self->rc, mag_sleep, self->pause);
		if (self->rc < 0)
			break;
		MAG_EMIT(self->rc, self->i);
		if (self->rc < 0)
			break;
	}
	MAG_SHIELD(&self->shield, 100 * REST);
	MAG_AWAIT(self->rc, mag_sleep, 1);
	CHECK(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->shield);
	if (self->cleaned)
		count(self->cleaned);
	MAG_RETURN(self->result);
	MAG_END;
}

enum { NO_ERROR = -1 };

/* What the tests' function counts: how many run, at most ran, ran at all, and were cut short. */
struct work {
	uint32_t running, most, ran, cut;
	int fails_at;
	int drops; /* every so many-th; 0: none */
	uint64_t pause;
	bool uneven;
};

struct worked {
	mag_frame frame;
	MAG_ARGS(worked, const int *in; int64_t *out; struct work *ctx;);
	int64_t rc;
	uint32_t now;
};

static inline void note_most(struct work *work, uint32_t now)
{
	uint32_t most = magi_load_rlx(&work->most);

	while (now > most && !magi_cas_rlx(&work->most, &most, now))
		;
}

MAG_TASK(worked)
{
	MAG_BEGIN(worked);
	self->rc = 0;
	self->now = magi_add_ar(&self->ctx->running, 1u) + 1; /* [counted] */
	note_most(self->ctx, self->now);
	if (self->ctx->pause)
		MAG_AWAIT(self->rc, mag_sleep, self->ctx->uneven && *self->in % 3 == 0 ? 3 * self->ctx->pause : self->ctx->pause);
	magi_sub_ar(&self->ctx->running, 1u); /* [counted] */
	count(&self->ctx->ran);
	if (self->rc < 0) {
		count(&self->ctx->cut);
		MAG_RETURN(self->rc);
	}
	if (*self->in == self->ctx->fails_at)
		MAG_RETURN(-EIO);
	if (self->ctx->drops && *self->in % self->ctx->drops == 0)
		MAG_RETURN(MAG_STREAM_DROP);
	*self->out = (int64_t)*self->in * *self->in;
	MAG_RETURN(0);
	MAG_END;
}

#endif
