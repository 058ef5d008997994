/* SPDX-License-Identifier: MIT */
/* spec_future.c - the first value stays. An await of a complete one gives it, cancelled or not. */
#include <errno.h>

#include "linear/spec.h"

enum { COMPLETE, VALUE };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool complete(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[COMPLETE])
		return linear_gave(op, -EALREADY) && linear_done(s, i);
	s->word[COMPLETE] = 1;
	s->word[VALUE] = (int32_t)op->item[0];
	while (s->waits > 0) {
		if (!linear_grant(h, s, s->word[VALUE]))
			return false;
	}
	return linear_gave(op, 0) && linear_done(s, i);
}

static bool poll(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (!linear_gave(op, s->word[COMPLETE]))
		return false;
	if (op->reply && s->word[COMPLETE] && op->item[0] != (uint64_t)s->word[VALUE])
		return false;
	return linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return !s->word[COMPLETE] && linear_cancelled(s, i, choice, true);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_future_kind)op->kind) {
	case LINEAR_COMPLETE:
		return complete(h, s, i);
	case LINEAR_FUTURE_AWAIT:
		return s->word[COMPLETE] ? linear_gave(op, s->word[VALUE]) && linear_done(s, i) : linear_wait(s, i);
	case LINEAR_POLL:
		return poll(h, s, i);
	case LINEAR_FUTURE_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "complete", "await", "poll", "how many wait" };

	if (op->kind == LINEAR_COMPLETE)
		snprintf(text, size, "complete(%lld)", (long long)op->item[0]);
	else if (op->kind == LINEAR_POLL && op->reply && op->result)
		snprintf(text, size, "poll(-> %lld)", (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_future_spec = { "future", start, step, text };
