/* SPDX-License-Identifier: MIT */
/* spec_rwlock.c - many read or one writes, and a queue in which nobody is overtaken. */
#include <errno.h>

#include "linear/spec.h"

enum { WRITER, READERS };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool writes(const struct linear_op *op)
{
	return op->kind == LINEAR_LOCK_WRITE || op->kind == LINEAR_TRY_LOCK_WRITE;
}

static bool may(const struct linear_state *s, const struct linear_op *op)
{
	return !s->word[WRITER] && (!writes(op) || !s->word[READERS]);
}

static void take(struct linear_state *s, const struct linear_op *op)
{
	if (writes(op))
		s->word[WRITER] = op->lane + 1;
	else
		s->word[READERS]++;
}

/* Those at the head who may; false: one of them had another result. */
static bool serve(const struct linear_history *h, struct linear_state *s)
{
	while (s->waits > 0 && may(s, &h->op[s->queue[0]])) {
		take(s, &h->op[s->queue[0]]);
		if (!linear_grant(h, s, 0))
			return false;
	}
	return true;
}

static bool lock(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (op->awaits && s->word[WRITER] == op->lane + 1)
		return linear_gave(op, MAG_EDEADLK) && linear_done(s, i);
	if (s->waits > 0 || !may(s, op))
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	take(s, op);
	return linear_gave(op, 0) && linear_done(s, i);
}

static bool unlock(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (op->kind == LINEAR_UNLOCK_READ ? s->word[READERS] == 0 : s->word[WRITER] != op->lane + 1)
		return false;
	if (op->kind == LINEAR_UNLOCK_READ)
		s->word[READERS]--;
	else
		s->word[WRITER] = 0;
	if (op->kind == LINEAR_DOWNGRADE)
		s->word[READERS]++;
	return linear_gave(op, 0) && serve(h, s) && linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, s->waits > 0 || !may(s, op)) && serve(h, s);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_rwlock_kind)op->kind) {
	case LINEAR_LOCK_READ:
	case LINEAR_LOCK_WRITE:
	case LINEAR_TRY_LOCK_READ:
	case LINEAR_TRY_LOCK_WRITE:
		return lock(h, s, i);
	case LINEAR_UNLOCK_READ:
	case LINEAR_UNLOCK_WRITE:
	case LINEAR_DOWNGRADE:
		return unlock(h, s, i);
	case LINEAR_READERS:
		return linear_gave(op, s->word[READERS]) && linear_done(s, i);
	case LINEAR_RWLOCK_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "lock_read",   "lock_write",   "try_lock_read", "try_lock_write", "unlock_read",
					     "unlock_write", "downgrade",    "readers",       "how many wait" };

	snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_rwlock_spec = { "rwlock", start, step, text };
