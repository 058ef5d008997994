/* SPDX-License-Identifier: MIT */
/* spec_semaphore.c - permits, and a queue in which nobody is overtaken; or, where newcomers barge, none. */
#include <errno.h>

#include "linear/spec.h"

enum { PERMITS, START = 0, MOST = 1, BARGING = 2 };

static void start(const struct linear_history *h, struct linear_state *s)
{
	s->word[PERMITS] = h->config[START];
}

static int32_t need_of(const struct linear_op *op)
{
	return (int32_t)op->item[0];
}

/* Those at the head for whom there is enough; false: one of them had another result. */
static bool serve(const struct linear_history *h, struct linear_state *s)
{
	while (s->waits > 0 && need_of(&h->op[s->queue[0]]) <= s->word[PERMITS]) {
		s->word[PERMITS] -= need_of(&h->op[s->queue[0]]);
		if (!linear_grant(h, s, 0))
			return false;
	}
	return true;
}

static bool acquire(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->waits > 0 || s->word[PERMITS] < need_of(op))
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	s->word[PERMITS] -= need_of(op);
	return linear_gave(op, 0) && linear_done(s, i);
}

static bool release(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (need_of(op) > h->config[MOST] - s->word[PERMITS])
		return linear_gave(op, -EOVERFLOW) && linear_done(s, i);
	s->word[PERMITS] += need_of(op);
	return linear_gave(op, 0) && serve(h, s) && linear_done(s, i);
}

/* Who waits may be overtaken, and a try fails when somebody waits. */
static bool step_barging(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_done(s, i);
	switch ((enum linear_semaphore_kind)op->kind) {
	case LINEAR_TRY_ACQUIRE:
		if (linear_gave(op, -EAGAIN))
			return linear_done(s, i);
		return s->word[PERMITS] >= need_of(op) && acquire(h, s, i);
	case LINEAR_ACQUIRE:
		return s->word[PERMITS] >= need_of(op) && acquire(h, s, i);
	case LINEAR_RELEASE:
		return release(h, s, i);
	case LINEAR_PERMITS:
		return linear_gave(op, s->word[PERMITS]) && linear_done(s, i);
	case LINEAR_SEMAPHORE_WAITING:
		return linear_done(s, i);
	}
	return false;
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (h->config[BARGING])
		return choice == 0 && step_barging(h, s, i);
	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, s->waits > 0 || s->word[PERMITS] < need_of(op)) && serve(h, s);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_semaphore_kind)op->kind) {
	case LINEAR_ACQUIRE:
	case LINEAR_TRY_ACQUIRE:
		return acquire(h, s, i);
	case LINEAR_RELEASE:
		return release(h, s, i);
	case LINEAR_PERMITS:
		return linear_gave(op, s->word[PERMITS]) && linear_done(s, i);
	case LINEAR_SEMAPHORE_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "acquire", "try_acquire", "release", "permits", "how many wait" };

	if (op->kind <= LINEAR_RELEASE)
		snprintf(text, size, "%s(%lld)", names[op->kind], (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_semaphore_spec = { "semaphore", start, step, text };
