/* SPDX-License-Identifier: MIT */
/* hedge.c - attempts side by side, in a group of the task that makes the call.
 *
 * What:    the task starts an attempt, then waits for the next one that ends, or until it is time for another one; so on
 *          until it has heard enough. Then the group is cancelled and joined.
 * Who:     the task itself, on its worker.
 * Always:  running is how many attempts it has started and not heard of. Nothing is decided by those that end: who has won
 *          is what the task hears first; when it hears nothing, since it was cancelled, one that has succeeded all the same
 *          wins in the end, and no result >= 0 but the winner's goes unsaid.
 *          What the budget was asked for an attempt that is not started it has back.
 * Not:     a group of the policy MAG_ANY: it would not say that an attempt has failed while others run. */
#include <errno.h>
#include <magpie/hedge.h>

#include "base/assert.h"

static int policy_check(const mag_hedge_policy *policy)
{
	return policy->size == sizeof(*policy) && policy->attempts <= MAG_HEDGE_MAX ? 0 : -EINVAL;
}

static void settle(mag_hedge *h, int64_t result)
{
	h->step = MAGI_HEDGE_END;
	h->enough = 1;
	h->result = result;
	mag_group_cancel(&h->group);
}

void magi_hedge_open(mag_worker *w, mag_frame *f, mag_hedge *h, const mag_hedge_policy *policy)
{
	const struct mag_group_options options = { .size = sizeof(options), .policy = MAG_COLLECT };
	int rc = policy_check(policy);

	if (rc < 0)
		magi_misuse("%s:%d: this policy of a hedge makes no sense", f->at->file, f->at->line);
	h->policy = *policy;
	h->policy.attempts = policy->attempts ? policy->attempts : MAG_HEDGE_ATTEMPTS;
	h->policy.after_ns = policy->after_ns ? policy->after_ns : MAG_HEDGE_AFTER;
	h->started = h->running = h->enough = 0;
	h->winner = -1;
	h->result = 0;
	h->step = MAGI_HEDGE_START;
	magi_group_open(w, f, &h->group, &options);
	if (rc < 0)
		settle(h, rc);
	else if (h->policy.budget)
		mag_budget_call(h->policy.budget);
}

/* An attempt was started, or was not. */
static void started(mag_hedge *h)
{
	h->step = MAGI_HEDGE_WAIT;
	if (h->rc == 0) {
		h->started++;
		h->running++;
		h->deadline = mag_deadline_in(h->policy.after_ns);
		return;
	}
	if (h->started && h->policy.budget)
		mag_budget_give_back(h->policy.budget);
	h->enough = 1;
	h->deadline = MAG_NEVER;
	if (h->rc == MAG_ECANCELED)
		settle(h, h->rc);
	else if (!h->running)
		settle(h, h->result ? h->result : h->rc);
}

/* Whether there is to be another one; those that run go on. */
static bool another(mag_hedge *h)
{
	const mag_hedge_policy *p = &h->policy;

	if (h->enough || h->started == p->attempts || (p->budget && mag_budget_take(p->budget) < 0)) {
		h->enough = 1;
		h->deadline = MAG_NEVER;
		return false;
	}
	h->step = MAGI_HEDGE_START;
	return true;
}

/* One has ended. */
static void heard(mag_hedge *h)
{
	const mag_hedge_policy *p = &h->policy;
	int64_t rc = mag_handle_result(h->ended);

	h->running--;
	if (rc >= 0) {
		h->winner = (int32_t)(h->ended - h->handles);
		settle(h, rc);
	} else if (rc == MAG_ECANCELED || (p->again && !p->again(rc, p->arg))) {
		settle(h, rc);
	} else {
		h->result = h->result ? h->result : rc;
		if (!h->running && !another(h))
			h->step = MAGI_HEDGE_END;
	}
}

/* What the task has waited for has come. */
void magi_hedge_next(mag_hedge *h)
{
	if (h->step == MAGI_HEDGE_START)
		started(h);
	else if (h->rc == 1)
		heard(h);
	else if (h->rc == MAG_ETIMEDOUT)
		another(h);
	else if (h->rc == -ENOMEM) /* for the timer: then it is waited for what there is */
		h->deadline = MAG_NEVER;
	else
		settle(h, h->rc);
}

mag_frame *magi_hedge_wait(mag_worker *w, mag_frame *f, mag_hedge *h)
{
	return mag_group_next_until(w, f, &h->group, &h->ended, h->deadline);
}

mag_frame *magi_hedge_end(mag_worker *w, mag_frame *f, mag_hedge *h)
{
	return magi_group_end(w, f, &h->group);
}

/* All have ended. */
int64_t magi_hedge_result(mag_hedge *h)
{
	for (uint32_t i = 0; i < h->started; i++) {
		h->results[i] = mag_handle_result(&h->handles[i]);
		if (h->results[i] < 0 || (int32_t)i == h->winner)
			continue;
		if (h->winner < 0)
			h->winner = (int32_t)i;
		else if (h->policy.spare)
			h->policy.spare(h->results[i], h->policy.arg);
	}
	if (h->winner >= 0)
		return h->results[h->winner];
	return h->result == MAG_ECANCELED && h->rc == MAG_EDEPTH ? MAG_EDEPTH : h->result;
}
