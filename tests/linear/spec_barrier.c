/* SPDX-License-Identifier: MIT */
/* spec_barrier.c - so many go on together, the last one with 1. */
#include <errno.h>

#include "linear/spec.h"

enum { BROKEN, PARTIES = 0 };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool grant_all(const struct linear_history *h, struct linear_state *s, int64_t result)
{
	while (s->waits > 0) {
		if (!linear_grant(h, s, result))
			return false;
	}
	return true;
}

static bool come(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[BROKEN])
		return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
	if (s->waits + 1 < h->config[PARTIES])
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	return linear_gave(op, 1) && grant_all(h, s, 0) && linear_done(s, i);
}

static bool set_broken(struct linear_state *s, const struct linear_op *op, int32_t broken)
{
	bool changed = s->word[BROKEN] != broken;

	s->word[BROKEN] = broken;
	return linear_gave(op, changed);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, !s->word[BROKEN] && s->waits + 1 < h->config[PARTIES]);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_barrier_kind)op->kind) {
	case LINEAR_BARRIER_WAIT:
	case LINEAR_BARRIER_TRY_WAIT:
		return come(h, s, i);
	case LINEAR_ABORT:
		return set_broken(s, op, 1) && grant_all(h, s, MAG_ECLOSED) && linear_done(s, i);
	case LINEAR_BARRIER_RESET:
		return set_broken(s, op, 0) && linear_done(s, i);
	case LINEAR_BARRIER_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "wait", "try_wait", "abort", "reset", "waiting" };

	snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_barrier_spec = { "barrier", start, step, text };
