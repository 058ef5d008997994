/* SPDX-License-Identifier: MIT */
/* spec_mutex.c - one lane at a time. Who waits may be overtaken, so that there is no queue here. */
#include <errno.h>

#include "linear/spec.h"

enum { HOLDER };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];
	int32_t me = op->lane + 1, *holder = &s->word[HOLDER];

	if (choice > 0)
		return false;
	if (linear_was_cancelled(op))
		return linear_done(s, i);
	switch ((enum linear_mutex_kind)op->kind) {
	case LINEAR_LOCK:
		if (*holder == me)
			return linear_gave(op, MAG_EDEADLK) && linear_done(s, i);
		if (*holder || !linear_gave(op, 0))
			return false;
		*holder = me;
		return linear_done(s, i);
	case LINEAR_TRY_LOCK:
		if (*holder)
			return linear_gave(op, -EAGAIN) && linear_done(s, i);
		*holder = me;
		return linear_gave(op, 0) && linear_done(s, i);
	case LINEAR_UNLOCK:
		if (*holder != me || !linear_gave(op, 0))
			return false;
		*holder = 0;
		return linear_done(s, i);
	case LINEAR_IS_LOCKED:
		return linear_gave(op, *holder != 0) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "lock", "try_lock", "unlock", "is_locked" };

	snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_mutex_spec = { "mutex", start, step, text };
