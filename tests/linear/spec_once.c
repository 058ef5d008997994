/* SPDX-License-Identifier: MIT */
/* spec_once.c - one at a time tries, until one has done it. */
#include <errno.h>

#include "linear/spec.h"

enum { ELECTED, DONE };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool begin(struct linear_state *s, const struct linear_op *op, uint32_t i)
{
	if (s->word[DONE])
		return linear_gave(op, 0) && linear_done(s, i);
	if (s->word[ELECTED] == op->lane + 1)
		return linear_gave(op, MAG_EDEADLK) && linear_done(s, i);
	if (s->word[ELECTED])
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	s->word[ELECTED] = op->lane + 1;
	return linear_gave(op, 1) && linear_done(s, i);
}

static bool done(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[ELECTED] != op->lane + 1 || !linear_gave(op, 0))
		return false;
	s->word[ELECTED] = 0;
	s->word[DONE] = !op->item[0];
	while (s->word[DONE] && s->waits > 0) {
		if (!linear_grant(h, s, 0))
			return false;
	}
	if (s->waits > 0) {
		s->word[ELECTED] = h->op[s->queue[0]].lane + 1;
		if (!linear_grant(h, s, 1))
			return false;
	}
	return linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, s->word[ELECTED]);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_once_kind)op->kind) {
	case LINEAR_BEGIN:
	case LINEAR_TRY_BEGIN:
		return begin(s, op, i);
	case LINEAR_ONCE_DONE:
		return done(h, s, i);
	case LINEAR_IS_DONE:
		return linear_gave(op, s->word[DONE]) && linear_done(s, i);
	case LINEAR_ONCE_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "begin", "try_begin", "done", "is_done", "how many wait" };

	if (op->kind == LINEAR_ONCE_DONE)
		snprintf(text, size, "done(%s)", op->item[0] ? "-EIO" : "0");
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_once_spec = { "once", start, step, text };
