/* SPDX-License-Identifier: MIT */
/* spec_condition.c - a queue, and signals of which none is kept. */
#include <errno.h>

#include "linear/spec.h"

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];
	int32_t n = 0;

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, true);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_condition_kind)op->kind) {
	case LINEAR_CONDITION_WAIT:
		return linear_wait(s, i);
	case LINEAR_SIGNAL:
	case LINEAR_BROADCAST:
		for (; s->waits > 0 && (n == 0 || op->kind == LINEAR_BROADCAST); n++) {
			if (!linear_grant(h, s, 0))
				return false;
		}
		return linear_gave(op, n) && linear_done(s, i);
	case LINEAR_CONDITION_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "wait", "signal", "broadcast", "how many wait" };

	snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_condition_spec = { "condition", start, step, text };
