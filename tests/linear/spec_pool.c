/* SPDX-License-Identifier: MIT */
/* spec_pool.c - a stack of what is idle, and so many at most that are lent. Who waits may be overtaken, and a try may fail:
 * a permit is had before the stack is looked at. */
#include <errno.h>

#include "linear/spec.h"

enum { LENT, IDLE, MADE, STACK };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

/* The top of the stack, or a new one. */
static bool take(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];
	int32_t item = (int32_t)op->item[0];

	if (s->word[LENT] >= h->config[0] || !linear_gave(op, 0))
		return false;
	if (s->word[IDLE] > 0) {
		if (op->reply && s->word[STACK + s->word[IDLE] - 1] != item)
			return false;
		s->word[STACK + --s->word[IDLE]] = 0;
	} else {
		if (!op->awaits || (op->reply && (s->word[MADE] & 1 << item)))
			return false;
		s->word[MADE] |= op->reply ? 1 << item : 0;
	}
	s->word[LENT]++;
	return linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (choice > 0)
		return false;
	if (linear_was_cancelled(op))
		return linear_done(s, i);
	switch ((enum linear_pool_kind)op->kind) {
	case LINEAR_POOL_TRY_TAKE:
		if (op->reply == 0 || op->result == -EAGAIN)
			return linear_done(s, i);
		return take(h, s, i);
	case LINEAR_POOL_TAKE:
		return take(h, s, i);
	case LINEAR_POOL_GIVE:
		if (!linear_gave(op, 0) || s->word[LENT] == 0)
			return false;
		s->word[LENT]--;
		s->word[STACK + s->word[IDLE]++] = (int32_t)op->item[0];
		return linear_done(s, i);
	case LINEAR_POOL_IDLE:
		return linear_gave(op, s->word[IDLE]) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "take", "try_take", "give", "how many are idle" };

	if (op->kind == LINEAR_POOL_GIVE)
		snprintf(text, size, "give(%lld)", (long long)op->item[0]);
	else if (op->kind <= LINEAR_POOL_TRY_TAKE && op->reply && op->result == 0)
		snprintf(text, size, "%s(-> %lld)", names[op->kind], (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_pool_spec = { "pool", start, step, text };
