/* SPDX-License-Identifier: MIT */
/* retry.c - attempts one after the other, in the frame of the task that makes them.
 *
 * What:    each attempt is a scope with the deadline of that attempt, which its end closes; then one place decides whether
 *          there is to be another, and the frame sleeps until that.
 * Who:     the task itself, on its worker.
 * Always:  a result >= 0 is kept. Nothing that came of a cancellation is tried again: an attempt's MAG_ECANCELED, unless it
 *          was its own time that was up; any error, once the scope around the attempts is cancelled, since a pause
 *          there ends at once with MAG_ECANCELED.
 *          What the budget was asked for a pause that is cut short it has back.
 * Not:     a task of its own for each attempt: cancelling and what is on the stack would be another's. A clock of the
 *          pauses in the policy, which is shared. */
#include <errno.h>
#include <magpie/options.h>
#include <magpie/retry.h>

#include "base/assert.h"
#include "base/clock.h"
#include "resilience/draw.h"
#include "task/scope.h"
#include "task/timer.h"
#include "task/wait.h"

bool mag_retry_transient(int64_t error)
{
	switch (error) {
	case MAG_ETIMEDOUT:
	case -ETIMEDOUT:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ECONNABORTED:
	case -EPIPE:
	case -ENETDOWN:
	case -ENETRESET:
	case -ENETUNREACH:
	case -EHOSTDOWN:
	case -EHOSTUNREACH:
	case -EAGAIN:
	case -EINTR:
	case -EBUSY:
	case -ENOBUFS:
		return true;
	default:
		return false;
	}
}

/* With what holds where nothing is said. */
static mag_retry_policy filled(const mag_retry_policy *given)
{
	mag_retry_policy p;

	mag_options_take(&p, sizeof(p), given);
	p.attempts = p.attempts ? p.attempts : MAG_RETRY_ATTEMPTS;
	p.first_ns = p.first_ns ? p.first_ns : p.most_ns && p.most_ns < MAG_RETRY_FIRST ? p.most_ns : MAG_RETRY_FIRST;
	p.most_ns = p.most_ns ? p.most_ns : p.first_ns > MAG_RETRY_MOST ? p.first_ns : MAG_RETRY_MOST;
	p.within_ns = p.within_ns ? p.within_ns : MAG_RETRY_WITHIN;
	p.attempt_ns = p.attempt_ns ? p.attempt_ns : MAG_NEVER;
	p.factor = p.factor > 0 ? p.factor : MAG_RETRY_FACTOR;
	return p;
}

int mag_retry_policy_check(const mag_retry_policy *given)
{
	mag_retry_policy p;

	if (mag_options_take(&p, sizeof(p), given) < 0 || (unsigned)p.jitter > MAG_JITTER_NONE)
		return -EINVAL;
	if (p.factor != 0 && !(p.factor >= 1 && p.factor <= MAG_RETRY_FACTOR_MAX))
		return -EINVAL;
	return p.most_ns && p.first_ns > p.most_ns ? -EINVAL : 0;
}

static void begin_attempt(mag_worker *w, mag_frame *f, mag_retry *r)
{
	uint64_t until = magi_deadline_in(w, r->policy.attempt_ns);

	r->attempt++;
	r->hint_ns = 0;
	r->stopped = r->in_debt = 0;
	magi_scope_open(w, f, &r->scope, until < r->deadline ? until : r->deadline, 0);
}

void magi_retry_open(mag_worker *w, mag_frame *f, mag_retry *r, const mag_retry_policy *policy, const void *begin)
{
	static const mag_retry_policy none = MAG_RETRY_POLICY(.within_ns = MAG_NEVER);
	bool bad = mag_retry_policy_check(policy) < 0;

	if (bad)
		magi_misuse("%s:%d: this policy of a retry makes no sense", f->at->file, f->at->line);
	r->policy = filled(bad ? &none : policy);
	r->over = bad ? MAG_RETRY_BAD_POLICY : MAG_RETRY_RUNS;
	r->attempt = 0;
	r->error = 0;
	r->waited_ns = 0;
	r->deadline = magi_deadline_in(w, r->policy.within_ns);
	r->delay_ns = r->policy.first_ns;
	r->begin = begin;
	if (r->policy.budget)
		mag_budget_call(r->policy.budget);
	begin_attempt(w, f, r);
}

/* The delay before the next attempt, and the one after that. */
static uint64_t draw_pause(struct magi_random *random, mag_retry *r)
{
	const mag_retry_policy *p = &r->policy;
	uint64_t delay = r->delay_ns, pause = delay, hint = r->hint_ns;
	double next = (double)delay * p->factor;

	r->delay_ns = next < (double)p->most_ns ? (uint64_t)next : p->most_ns;
	if (p->jitter == MAG_JITTER_FULL)
		pause = magi_draw(random, delay);
	else if (p->jitter == MAG_JITTER_EQUAL)
		pause = delay - delay / 2 + magi_draw(random, delay / 2);
	if (hint && p->jitter != MAG_JITTER_NONE)
		hint = magi_saturate_add(hint, magi_draw(random, p->first_ns));
	return pause > hint ? pause : hint;
}

/* Whether there is to be another attempt, and why not. */
static enum mag_retry_over judge(mag_worker *w, mag_retry *r, int why)
{
	const mag_retry_policy *p = &r->policy;
	bool (*again)(int64_t, void *) = p->again;

	if (r->over != MAG_RETRY_RUNS)
		return r->over;
	if (r->result == MAG_ECANCELED)
		return MAG_RETRY_CANCELED;
	if (r->stopped || why == MAG_EDEPTH || !(again ? again(r->result, p->arg) : mag_retry_transient(r->result)))
		return MAG_RETRY_FINAL;
	if (r->attempt >= p->attempts)
		return MAG_RETRY_USED_UP;
	r->paused_at = magi_now(magi_worker_of(w));
	r->pause_ns = draw_pause(&magi_worker_of(w)->random, r);
	if (magi_saturate_add(r->paused_at, r->pause_ns) >= r->deadline)
		return MAG_RETRY_TOO_LATE;
	if (p->budget && mag_budget_take(p->budget) < 0)
		return MAG_RETRY_NO_BUDGET;
	r->in_debt = p->budget != NULL;
	return MAG_RETRY_RUNS;
}

/* The attempt has ended; what was forked in it is joined. */
mag_frame *magi_retry_pause(mag_worker *w, mag_frame *f, mag_retry *r)
{
	int why = magi_scope_close(f, &r->scope);

	if (r->result >= 0 && f->join_err)
		r->result = f->join_err;
	if (r->result == MAG_ECANCELED && why && why != MAG_ECANCELED)
		r->result = why;
	if (r->result >= 0) {
		r->over = r->over == MAG_RETRY_BAD_POLICY ? r->over : MAG_RETRY_DONE;
		return f;
	}
	r->error = r->result;
	r->over = judge(w, r, why);
	if (r->over != MAG_RETRY_RUNS)
		return f;
	f->join_err = 0; /* it was this attempt's */
	return mag_sleep_until(w, f, r->paused_at + r->pause_ns);
}

/* Begins another attempt when the pause is over; false: there is none. */
bool magi_retry_again(mag_worker *w, mag_frame *f, mag_retry *r)
{
	if (r->over != MAG_RETRY_RUNS)
		return false;
	r->waited_ns += magi_now(magi_worker_of(w)) - r->paused_at;
	if (f->op.result < 0) {
		if (r->in_debt)
			mag_budget_give_back(r->policy.budget);
		r->over = MAG_RETRY_CANCELED;
		r->result = MAG_ECANCELED;
		return false;
	}
	begin_attempt(w, f, r);
	return true;
}

void mag_retry_after(mag_retry *r, uint64_t ns)
{
	if (ns > r->hint_ns)
		r->hint_ns = ns;
}

void mag_retry_stop(mag_retry *r)
{
	r->stopped = 1;
}
