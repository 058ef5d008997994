/* SPDX-License-Identifier: MIT */
/* spec_watch.c - a value and its version. Who waits has seen it, so that the next one wakes all. */
#include <magpie/watch.h>

#include "linear/spec.h"

enum { VERSION, VALUE, CLOSED };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	s->word[VERSION] = MAGI_WATCH_STEP;
}

static bool grant_all(const struct linear_history *h, struct linear_state *s, int64_t result)
{
	while (s->waits > 0) {
		if (!linear_grant(h, s, result))
			return false;
	}
	return true;
}

static bool has_seen_all(const struct linear_state *s, const struct linear_op *op)
{
	return op->item[0] == (uint64_t)s->word[VERSION];
}

static bool changed(struct linear_state *s, const struct linear_op *op, uint32_t i)
{
	if (!has_seen_all(s, op))
		return linear_gave(op, 0) && linear_done(s, i);
	return s->word[CLOSED] ? linear_gave(op, MAG_ECLOSED) && linear_done(s, i) : linear_wait(s, i);
}

static bool get(struct linear_state *s, const struct linear_op *op, uint32_t i)
{
	if (!linear_gave(op, s->word[VERSION]) || (op->reply && op->item[0] != (uint64_t)s->word[VALUE]))
		return false;
	return linear_done(s, i);
}

static bool send(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[CLOSED])
		return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
	s->word[VERSION] += MAGI_WATCH_STEP;
	s->word[VALUE] = (int32_t)op->item[0];
	return linear_gave(op, 0) && grant_all(h, s, 0) && linear_done(s, i);
}

static bool shut(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	if (!linear_gave(&h->op[i], !s->word[CLOSED]))
		return false;
	s->word[CLOSED] = 1;
	return grant_all(h, s, MAG_ECLOSED) && linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, !s->word[CLOSED] && has_seen_all(s, op));
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_watch_kind)op->kind) {
	case LINEAR_CHANGED:
		return changed(s, op, i);
	case LINEAR_WATCH_GET:
		return get(s, op, i);
	case LINEAR_WATCH_SEND:
		return send(h, s, i);
	case LINEAR_WATCH_CLOSE:
		return shut(h, s, i);
	case LINEAR_WATCH_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "changed", "get", "send", "close", "how many wait" };

	if (op->kind == LINEAR_WATCH_SEND || op->kind == LINEAR_CHANGED)
		snprintf(text, size, "%s(%lld)", names[op->kind], (long long)op->item[0]);
	else if (op->kind == LINEAR_WATCH_GET && op->reply)
		snprintf(text, size, "get(-> %lld)", (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_watch_spec = { "watch", start, step, text };
