/* SPDX-License-Identifier: MIT */
/* spec_queue.c - a bounded queue. Those who wait are all of one kind: pushers when it is full, poppers when it is
 * empty, of either kind where there is no room at all; the first of them is served. */
#include <errno.h>
#include <string.h>

#include "linear/spec.h"

enum { LENGTH, CLOSED, FIRST, CAPACITY_MAX = LINEAR_WORDS - FIRST };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static void add(struct linear_state *s, const struct linear_op *op)
{
	s->word[FIRST + s->word[LENGTH]++] = (int32_t)op->item[0];
}

/* Which one it is the turn of. */
static int32_t turn_of(const struct linear_history *h, const struct linear_state *s)
{
	int32_t best = 0;

	if (h->config[1] == MAG_QUEUE_LIFO)
		return s->word[LENGTH] - 1;
	for (int32_t i = 1; h->config[1] == MAG_QUEUE_PRIORITY && i < s->word[LENGTH]; i++) {
		if (linear_urgency((uint64_t)s->word[FIRST + i]) < linear_urgency((uint64_t)s->word[FIRST + best]))
			best = i;
	}
	return best;
}

/* That one goes out; false: the operation had another one. */
static bool take(const struct linear_history *h, struct linear_state *s, const struct linear_op *op)
{
	int32_t *its = &s->word[FIRST + turn_of(h, s)], *end = &s->word[FIRST + s->word[LENGTH]];

	if (op->reply && op->item[0] != (uint64_t)*its)
		return false;
	memmove(its, its + 1, (size_t)(end - its - 1) * sizeof(*its));
	end[-1] = 0;
	s->word[LENGTH]--;
	return true;
}

static bool is_push(const struct linear_op *op)
{
	return op->kind == LINEAR_PUSH || op->kind == LINEAR_TRY_PUSH;
}

/* Whether there is no room, and somebody waits for what this one brings, or has what it wants. */
static bool meets(const struct linear_history *h, const struct linear_state *s, const struct linear_op *op)
{
	return h->config[0] == 0 && s->waits > 0 && is_push(&h->op[s->queue[0]]) != is_push(op);
}

static bool meet(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i], *other = &h->op[s->queue[0]];

	if (!linear_gave(op, 0) || (op->reply && other->reply && op->item[0] != other->item[0]))
		return false;
	return linear_grant(h, s, 0) && linear_done(s, i);
}

static bool put(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (s->word[CLOSED])
		return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
	if (meets(h, s, op))
		return meet(h, s, i);
	if (s->word[LENGTH] == h->config[0])
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	if (!linear_gave(op, 0))
		return false;
	add(s, op);
	if (s->word[LENGTH] == 1 && s->waits > 0 && !(take(h, s, &h->op[s->queue[0]]) && linear_grant(h, s, 0)))
		return false;
	return linear_done(s, i);
}

static bool get(const struct linear_history *h, struct linear_state *s, uint32_t i)
{
	const struct linear_op *op = &h->op[i];

	if (meets(h, s, op))
		return meet(h, s, i);
	if (s->word[LENGTH] == 0) {
		if (s->word[CLOSED])
			return linear_gave(op, MAG_ECLOSED) && linear_done(s, i);
		return op->awaits ? linear_wait(s, i) : linear_gave(op, -EAGAIN) && linear_done(s, i);
	}
	if (!linear_gave(op, 0) || !take(h, s, op))
		return false;
	if (s->waits > 0) {
		add(s, &h->op[s->queue[0]]);
		if (!linear_grant(h, s, 0))
			return false;
	}
	return linear_done(s, i);
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
	bool push = op->kind == LINEAR_PUSH;

	if (linear_was_cancelled(op))
		return linear_cancelled(s, i, choice,
					!s->word[CLOSED] && s->word[LENGTH] == (push ? h->config[0] : 0) &&
						!meets(h, s, op));
	if (s->phase[i] == LINEAR_WAITS || choice > 0)
		return false;
	switch ((enum linear_queue_kind)op->kind) {
	case LINEAR_PUSH:
	case LINEAR_TRY_PUSH:
		return put(h, s, i);
	case LINEAR_POP:
	case LINEAR_TRY_POP:
		return get(h, s, i);
	case LINEAR_CLOSE:
		return shut(h, s, i);
	case LINEAR_IS_CLOSED:
		return linear_gave(op, s->word[CLOSED]) && linear_done(s, i);
	case LINEAR_QUEUE_WAITING:
		return linear_gave(op, s->waits) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = {
		"push", "pop", "try_push", "try_pop", "close", "is_closed", "how many wait"
	};
	bool out = op->kind == LINEAR_POP || op->kind == LINEAR_TRY_POP;

	if (op->kind == LINEAR_PUSH || op->kind == LINEAR_TRY_PUSH)
		snprintf(text, size, "%s(%lld)", names[op->kind], (long long)op->item[0]);
	else if (out && op->reply && op->result == 0)
		snprintf(text, size, "%s(-> %lld)", names[op->kind], (long long)op->item[0]);
	else
		snprintf(text, size, "%s()", names[op->kind]);
}

const struct linear_spec linear_queue_spec = { "queue", start, step, text };
