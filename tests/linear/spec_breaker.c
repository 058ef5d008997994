/* SPDX-License-Identifier: MIT */
/* spec_breaker.c - two failures in a row open it, and trials that all succeed close it. What a call that was let through
 * gives is the word that it was let through by: how often it had changed, and its state. */
#include <magpie/breaker.h>

#include "linear/spec.h"

enum { WORD, ROW, OUT, OK, PERMIT, TRIALS = 0, FAILURES = 2, STATE = 3, CHANGE = 4 };

static void start(const struct linear_history *h, struct linear_state *s)
{
	(void)h;
	(void)s;
}

static void change(struct linear_state *s, enum mag_breaker_state to)
{
	s->word[WORD] = (s->word[WORD] & ~STATE) + CHANGE + (int32_t)to;
	s->word[ROW] = s->word[OUT] = s->word[OK] = 0;
}

static bool let_through(struct linear_state *s, const struct linear_op *op, uint32_t i)
{
	s->word[PERMIT + op->lane] = s->word[WORD];
	return linear_gave(op, s->word[WORD]) && linear_done(s, i);
}

/* How long it is open is not said: a call finds it still open, or no more. */
static bool allow(const struct linear_history *h, struct linear_state *s, const struct linear_op *op, uint32_t i)
{
	if ((s->word[WORD] & STATE) == MAG_BREAKER_CLOSED)
		return let_through(s, op, i);
	if ((s->word[WORD] & STATE) == MAG_BREAKER_OPEN) {
		if (op->result == MAG_EREFUSED)
			return linear_done(s, i);
		change(s, MAG_BREAKER_HALF_OPEN);
	}
	if (s->word[OUT] + s->word[OK] == h->config[TRIALS])
		return linear_gave(op, MAG_EREFUSED) && linear_done(s, i);
	s->word[OUT]++;
	return let_through(s, op, i);
}

static void ended(const struct linear_history *h, struct linear_state *s, enum mag_breaker_outcome outcome)
{
	if ((s->word[WORD] & STATE) == MAG_BREAKER_CLOSED) {
		if (outcome != MAG_BREAKER_IGNORED)
			s->word[ROW] = outcome == MAG_BREAKER_FAILURE ? s->word[ROW] + 1 : 0;
		if (s->word[ROW] == FAILURES)
			change(s, MAG_BREAKER_OPEN);
		return;
	}
	s->word[OUT]--;
	s->word[OK] += outcome == MAG_BREAKER_SUCCESS;
	if (outcome == MAG_BREAKER_FAILURE)
		change(s, MAG_BREAKER_OPEN);
	else if (s->word[OK] == h->config[TRIALS])
		change(s, MAG_BREAKER_CLOSED);
}

static bool step(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice)
{
	const struct linear_op *op = &h->op[i];

	if (choice > 0)
		return false;
	switch ((enum linear_breaker_kind)op->kind) {
	case LINEAR_ALLOW:
		return allow(h, s, op, i);
	case LINEAR_BREAKER_END:
		if (s->word[PERMIT + op->lane] == s->word[WORD])
			ended(h, s, (enum mag_breaker_outcome)op->item[0]);
		s->word[PERMIT + op->lane] = 0;
		return linear_gave(op, 0) && linear_done(s, i);
	case LINEAR_BREAKER_STATE:
		return linear_gave(op, s->word[WORD] & STATE) && linear_done(s, i);
	}
	return false;
}

static void text(const struct linear_op *op, char *text, size_t size)
{
	static const char *const names[] = { "success", "failure", "ignored" };

	if (op->kind == LINEAR_BREAKER_END)
		snprintf(text, size, "end(%s)", names[op->item[0]]);
	else
		snprintf(text, size, op->kind == LINEAR_ALLOW ? "allow()" : "state()");
}

const struct linear_spec linear_breaker_spec = { "breaker", start, step, text };
