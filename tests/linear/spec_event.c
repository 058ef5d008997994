/* SPDX-License-Identifier: MIT */
/* spec_event.c - set, or not yet; setting it lets all go on who wait at that moment. */
#include "linear/spec.h"

enum { IS_SET };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool set(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	if (!linear_gave(&h->op[i], !s->word[IS_SET]))
		return false;
	s->word[IS_SET] = 1;
	while (s->waits > 0) {
		if (!linear_grant(h, s, 0))
			return false;
	}
	return linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, !s->word[IS_SET]);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_event_kind)op->kind) {
	case LINEAR_EVENT_WAIT:
		return s->word[IS_SET] ? linear_gave(op, 0) && linear_done(s, i) : linear_wait(s, i);
	case LINEAR_SET:
		return set(h, s, i);
	case LINEAR_RESET:
		if (!linear_gave(op, s->word[IS_SET]))
			return false;
		s->word[IS_SET] = 0;
		return linear_done(s, i);
	case LINEAR_IS_SET:
		return linear_gave(op, s->word[IS_SET]) && linear_done(s, i);
	case LINEAR_EVENT_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "wait", "set", "reset", "is_set", "how many wait" };

	snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_event_spec = { "event", start, step, text };
