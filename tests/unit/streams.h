/* SPDX-License-Identifier: MIT */
/* streams.h - what the tests of streams share: numbers, functions of stages, a generator that counts its cleaning up. */
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

#endif
