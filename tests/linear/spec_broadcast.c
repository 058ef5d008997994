/* SPDX-License-Identifier: MIT */
/* spec_broadcast.c - a ring that is overwritten; each lane has a place in it. Who waits has seen all, so that the next
 * element is that of all who wait. */
#include <errno.h>

#include "linear/spec.h"

enum { SENT, CLOSED, NEXT, RING = NEXT + LINEAR_LANES };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static bool send(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[CLOSED])
		return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
	s->word[RING + s->word[SENT]++ % h->config[0]] = (int32_t)op->item[0];
	while (s->waits > 0) {
		const struct linear_op *first = &h->op[s->queue[0]];

		s->word[NEXT + first->lane] = s->word[SENT];
		if ((first->reply && first->item[0] != op->item[0]) || !linear_grant(h, s, 0))
			return false;
	}
	return linear_gave(op, LINEAR_LANES) && linear_done(s, i);
}

static bool recv(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];
	int32_t *next = &s->word[NEXT + op->lane], missed = s->word[SENT] - *next - h->config[0];

	if (*next == s->word[SENT]) {
		if (s->word[CLOSED])
			return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	}
	if (missed > 0) {
		*next += missed;
		return linear_gave(op, missed) && linear_done(s, i);
	}
	if (op->reply && op->item[0] != (uint64_t)s->word[RING + *next % h->config[0]])
		return false;
	++*next;
	return linear_gave(op, 0) && linear_done(s, i);
}

static bool shut(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	if (!linear_gave(&h->op[i], !s->word[CLOSED]))
		return false;
	s->word[CLOSED] = 1;
	while (s->waits > 0) {
		if (!linear_grant(h, s, MAG_ECLOSED))
			return false;
	}
	return linear_done(s, i);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice,
					!s->word[CLOSED] && s->word[NEXT + op->lane] == s->word[SENT]);
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_broadcast_kind)op->kind) {
	case LINEAR_BROADCAST_RECV:
	case LINEAR_BROADCAST_TRY_RECV:
		return recv(h, s, i);
	case LINEAR_BROADCAST_SEND:
		return send(h, s, i);
	case LINEAR_BROADCAST_CLOSE:
		return shut(h, s, i);
	case LINEAR_BROADCAST_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "recv", "try_recv", "send", "close", "how many wait" };

	if (op->kind == LINEAR_BROADCAST_SEND)
		snprintf(text, size, "send(%lld)", (long long)op->item[0]);
	else if (op->kind <= LINEAR_BROADCAST_TRY_RECV && op->reply && op->result == 0)
		snprintf(text, size, "%s(-> %lld)", names[op->kind], (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_broadcast_spec = { "broadcast", start, step, text };
