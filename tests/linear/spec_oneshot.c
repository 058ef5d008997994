/* SPDX-License-Identifier: MIT */
/* spec_oneshot.c - one value; the first who waits gets it, the others are told that there is none. */
#include <errno.h>

#include "linear/spec.h"

enum { WHICH, VALUE };
enum { EMPTY, SENT, TAKEN, CLOSED };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool grant_all(const struct linear_history *h, struct linear_state *s)
{
	while (s->waits > 0) {
		if (!linear_grant(h, s, MAG_ECLOSED))
			return false;
	}
	return true;
}

static bool send(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i], *first = &h->op[s->queue[0]];

	if (s->word[WHICH] != EMPTY)
		return linear_gave(op, s->word[WHICH] == CLOSED ? MAG_ECLOSED : -EALREADY) && linear_done(s, i);
	if (!linear_gave(op, 0))
		return false;
	if (s->waits > 0) {
		s->word[WHICH] = TAKEN;
		if ((first->reply && first->item[0] != op->item[0]) || !linear_grant(h, s, 0))
			return false;
		return grant_all(h, s) && linear_done(s, i);
	}
	s->word[WHICH] = SENT;
	s->word[VALUE] = (int32_t)op->item[0];
	return linear_done(s, i);
}

static bool recv(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[WHICH] == EMPTY)
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	if (s->word[WHICH] != SENT)
		return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
	if (!linear_gave(op, 0) || (op->reply && op->item[0] != (uint64_t)s->word[VALUE]))
		return false;
	s->word[WHICH] = TAKEN;
	s->word[VALUE] = 0;
	return linear_done(s, i);
}

static bool shut(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	if (!linear_gave(&h->op[i], s->word[WHICH] == EMPTY))
		return false;
	if (s->word[WHICH] == EMPTY)
		s->word[WHICH] = CLOSED;
	return grant_all(h, s) && linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice, s->word[WHICH] == EMPTY);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_oneshot_kind)op->kind) {
	case LINEAR_ONESHOT_RECV:
	case LINEAR_TRY_RECV:
		return recv(h, s, i);
	case LINEAR_ONESHOT_SEND:
		return send(h, s, i);
	case LINEAR_ONESHOT_CLOSE:
		return shut(h, s, i);
	case LINEAR_ONESHOT_IS_CLOSED:
		return linear_gave(op, s->word[WHICH] == CLOSED) && linear_done(s, i);
	case LINEAR_ONESHOT_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "recv", "try_recv", "send", "close", "is_closed", "how many wait" };

	if (op->kind == LINEAR_ONESHOT_SEND)
		snprintf(text, size, "send(%lld)", (long long)op->item[0]);
	else if (op->kind <= LINEAR_TRY_RECV && op->reply && op->result == 0)
		snprintf(text, size, "%s(-> %lld)", names[op->kind], (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_oneshot_spec = { "oneshot", start, step, text };
