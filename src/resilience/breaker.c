/* SPDX-License-Identifier: MIT */
/* breaker.c - a circuit that failures open, and trials close.
 *
 * What:    one word holds the state and how often it has changed; everything else lies under a lock of a few stores. A
 *          permit knows the word that it was given by: what comes after a change says nothing of the state there is now.
 * Who:     any thread.
 * Always:  the word changes under the lock. Half open: out + ok <= trials; a permit of this change is counted in `out` until
 *          it is ended, whatever its end.
 *          Without the lock the word is only looked at by a call that finds it closed: whether it was let through before
 *          or after an opening at the same time makes no difference, and nothing else is read: no order is needed.
 *          The user's functions are called under no lock.
 * Not:     a word for all of it: the window and the counts do not fit, and a call takes longer than a lock. A timer that
 *          makes it half open: without a call nobody needs it to be. A list of the last n calls, as old as the last n
 *          calls are. */
#include <errno.h>
#include <magpie/breaker.h>
#include <magpie/options.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/lock.h"
#include "task/resource.h"
#include "task/scope.h"

enum { STATE = 3, CHANGE = 4, TENTHS = MAGI_BREAKER_TENTHS };

static magi_lock *lock_of(mag_breaker *b)
{
	return (magi_lock *)(void *)&b->lock;
}

int mag_breaker_init(mag_breaker *b, const mag_breaker_options *given)
{
	mag_breaker_options o;

	if (mag_options_take(&o, sizeof(o), given) < 0 || o.percent > 100)
		return -EINVAL;
	if (!o.failures && !o.percent)
		o.failures = MAG_BREAKER_FAILURES;
	o.least = o.least ? o.least : MAG_BREAKER_LEAST;
	o.trials = o.trials ? o.trials : MAG_BREAKER_TRIALS;
	o.window_ns = o.window_ns ? o.window_ns : MAG_BREAKER_WINDOW;
	o.open_ns = o.open_ns ? o.open_ns : MAG_BREAKER_OPEN_NS;
	o.open_most_ns = o.open_most_ns ? o.open_most_ns : o.open_ns;
	o.trial_ns = o.trial_ns ? o.trial_ns : MAG_BREAKER_TRIAL;
	if (o.open_most_ns < o.open_ns)
		return -EINVAL;
	*b = (mag_breaker){ .options = o, .open_ns = o.open_ns };
	return 0;
}

enum mag_breaker_state mag_breaker_state(const mag_breaker *b)
{
	return (enum mag_breaker_state)(magi_load_rlx(&b->circuit) & STATE); /* [hint] */
}

/* Under the lock: the window, from here on, */

/* is brought to this time: tenths that are over are empty. */
static void slide(mag_breaker *b, uint64_t now)
{
	uint64_t length = b->options.window_ns < TENTHS ? 1 : b->options.window_ns / TENTHS;
	uint64_t tenth = now / length;

	if (tenth > b->tenth + TENTHS)
		b->tenth = tenth - TENTHS;
	while (b->tenth < tenth) {
		b->tenth++;
		b->counts.window_calls -= b->window[b->tenth % TENTHS].calls;
		b->counts.window_failures -= b->window[b->tenth % TENTHS].failures;
		memset(&b->window[b->tenth % TENTHS], 0, sizeof(b->window[0]));
	}
}

/* and takes in a call. */
static void count(mag_breaker *b, uint64_t now, uint32_t failures)
{
	slide(b, now);
	b->window[b->tenth % TENTHS].calls++;
	b->window[b->tenth % TENTHS].failures += failures;
	b->counts.window_calls++;
	b->counts.window_failures += failures;
	b->row = failures ? b->row + 1 : 0;
}

static bool too_many(const mag_breaker *b)
{
	const mag_breaker_options *o = &b->options;
	const struct mag_breaker_counts *c = &b->counts;

	if (o->failures && b->row >= o->failures)
		return true;
	return o->percent && c->window_calls >= o->least &&
	       c->window_failures * UINT64_C(100) >= (uint64_t)o->percent * c->window_calls;
}

/* And its state: what it begins with, or begins with again, */
static void begin(mag_breaker *b, enum mag_breaker_state state, uint64_t now)
{
	const mag_breaker_options *o = &b->options;

	b->out = b->ok = b->row = 0;
	if (state == MAG_BREAKER_HALF_OPEN) {
		b->until = magi_saturate_add(now, o->trial_ns);
	} else if (state == MAG_BREAKER_OPEN) {
		b->until = magi_saturate_add(now, b->open_ns);
	} else {
		b->open_ns = o->open_ns;
		memset(b->window, 0, sizeof(b->window));
		b->counts.window_calls = b->counts.window_failures = 0;
	}
}

/* and all changes, which are made here. The word there is then. */
static uint64_t change(mag_breaker *b, enum mag_breaker_state to, uint64_t now)
{
	const mag_breaker_options *o = &b->options;
	uint64_t word = magi_load_rlx(&b->circuit); /* [hint] */
	bool tried = (word & STATE) == MAG_BREAKER_HALF_OPEN;

	word = word - word % CHANGE + CHANGE + to;
	b->counts.opened += to == MAG_BREAKER_OPEN;
	if (tried && to == MAG_BREAKER_OPEN)
		b->open_ns = b->open_ns > o->open_most_ns / 2 ? o->open_most_ns : b->open_ns * 2;
	begin(b, to, now);
	magi_store_rlx(&b->circuit, word); /* [hint] */
	return word;
}

/* Under no lock: a change is told, if it was one. */
static void tell(mag_breaker *b, uint64_t was, uint64_t word)
{
	if (word != was && b->options.changed)
		b->options.changed(b, (enum mag_breaker_state)(word & STATE), word / CHANGE, b->options.arg);
}

static bool may_try(const mag_breaker *b)
{
	return b->out + b->ok < b->options.trials;
}

/* It is not closed: 0, or MAG_EREFUSED. The lock is held. */
static int ask(mag_breaker *b, uint64_t now, uint64_t *word, uint64_t *wait_ns)
{
	if ((*word & STATE) == MAG_BREAKER_OPEN && now >= b->until)
		*word = change(b, MAG_BREAKER_HALF_OPEN, now);
	else if ((*word & STATE) == MAG_BREAKER_HALF_OPEN && !may_try(b) && now >= b->until)
		*word = change(b, MAG_BREAKER_OPEN, now);
	if ((*word & STATE) == MAG_BREAKER_CLOSED)
		return 0;
	if ((*word & STATE) == MAG_BREAKER_HALF_OPEN && may_try(b)) {
		b->out++;
		return 0;
	}
	*wait_ns = (*word & STATE) == MAG_BREAKER_OPEN ? b->until - now : 0;
	b->counts.refused++;
	return MAG_EREFUSED;
}

int mag_breaker_allow(mag_breaker *b, mag_breaker_permit *permit)
{
	uint64_t was = magi_load_rlx(&b->circuit), word = was, now; /* [hint] */
	int rc = 0;

	permit->wait_ns = 0;
	if ((was & STATE) != MAG_BREAKER_CLOSED) {
		now = mag_now();
		magi_lock_acquire(lock_of(b));
		was = word = magi_load_rlx(&b->circuit); /* [hint] */
		rc = ask(b, now, &word, &permit->wait_ns);
		magi_lock_release(lock_of(b));
		tell(b, was, word);
	}
	permit->breaker = rc == 0 ? b : NULL;
	permit->circuit = word;
	return rc;
}

/* A call that the state there is has let through has ended. The lock is held. */
static uint64_t judge(mag_breaker *b, uint64_t word, enum mag_breaker_outcome outcome, uint64_t now)
{
	if ((word & STATE) == MAG_BREAKER_CLOSED) {
		if (outcome != MAG_BREAKER_IGNORED)
			count(b, now, outcome == MAG_BREAKER_FAILURE);
		return outcome == MAG_BREAKER_FAILURE && too_many(b) ? change(b, MAG_BREAKER_OPEN, now) : word;
	}
	b->out--; /* whatever it says, its place is free */
	if (outcome == MAG_BREAKER_FAILURE)
		return change(b, MAG_BREAKER_OPEN, now);
	b->ok += outcome == MAG_BREAKER_SUCCESS;
	return b->ok == b->options.trials ? change(b, MAG_BREAKER_CLOSED, now) : word;
}

int mag_breaker_end_as(mag_breaker_permit *permit, enum mag_breaker_outcome outcome)
{
	mag_breaker *b = permit->breaker;
	uint64_t was, word, now;

	if (!b) {
		magi_misuse("mag_breaker_end: this permit was ended, or refused");
		return -EPERM;
	}
	permit->breaker = NULL;
	now = mag_now();
	magi_lock_acquire(lock_of(b));
	b->counts.successes += outcome == MAG_BREAKER_SUCCESS;
	b->counts.failures += outcome == MAG_BREAKER_FAILURE;
	b->counts.ignored += outcome != MAG_BREAKER_SUCCESS && outcome != MAG_BREAKER_FAILURE;
	was = word = magi_load_rlx(&b->circuit); /* [hint] */
	if (permit->circuit == word)
		word = judge(b, word, outcome, now);
	else
		b->counts.late++;
	magi_lock_release(lock_of(b));
	tell(b, was, word);
	return 0;
}

int mag_breaker_end(mag_breaker_permit *permit, int64_t result)
{
	const mag_breaker *b = permit->breaker;
	enum mag_breaker_outcome outcome = result < 0 ? MAG_BREAKER_FAILURE : MAG_BREAKER_SUCCESS;

	if (result == MAG_ECANCELED)
		outcome = MAG_BREAKER_IGNORED;
	else if (b && b->options.outcome)
		outcome = b->options.outcome(result, b->options.arg);
	else if (result == -ENOMEM) /* there was none here, for the call's frame say */
		outcome = MAG_BREAKER_IGNORED;
	return mag_breaker_end_as(permit, outcome);
}

static void force(mag_breaker *b, enum mag_breaker_state to)
{
	uint64_t now = mag_now(), was, word;

	magi_lock_acquire(lock_of(b));
	was = word = magi_load_rlx(&b->circuit); /* [hint] */
	if ((was & STATE) == to)
		begin(b, to, now);
	else
		word = change(b, to, now);
	magi_lock_release(lock_of(b));
	tell(b, was, word);
}

void mag_breaker_trip(mag_breaker *b)
{
	force(b, MAG_BREAKER_OPEN);
}

void mag_breaker_reset(mag_breaker *b)
{
	force(b, MAG_BREAKER_CLOSED);
}

void mag_breaker_counts(mag_breaker *b, struct mag_breaker_counts *counts)
{
	uint64_t now = mag_now();

	magi_lock_acquire(lock_of(b));
	slide(b, now);
	*counts = b->counts;
	magi_lock_release(lock_of(b));
}

/* The block: a return out of it ends the permit with what is returned. */

static mag_frame *leave(mag_worker *w, mag_frame *f, struct magi_open_hook *hook)
{
	(void)w;
	magi_open_pop(f, &hook->open, "MAG_RETURN");
	mag_breaker_end((mag_breaker_permit *)(void *)hook, magi_left_with(f));
	return f;
}

int magi_breaker_begin(mag_frame *f, mag_breaker_permit *permit, mag_breaker *b)
{
	int rc = mag_breaker_allow(b, permit);

	permit->hook.leave = leave;
	if (rc == 0)
		magi_open_push(f, &permit->hook.open, MAGI_OPEN_HOOK);
	return rc;
}

int64_t magi_breaker_leave(mag_frame *f, mag_breaker_permit *permit)
{
	if (!permit->breaker)
		return permit->result;
	if (permit->result >= 0 && f->join_err) /* it stays for MAG_JOIN as well */
		permit->result = f->join_err;
	magi_open_pop(f, &permit->hook.open, "MAG_BREAKER_END");
	mag_breaker_end(permit, permit->result);
	return permit->result;
}
