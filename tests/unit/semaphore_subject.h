/* SPDX-License-Identifier: MIT */
/* semaphore_subject.h - a semaphore in the cancellation matrix: each waiter needs `n` permits, and so many are given. */
#ifndef MAGPIE_TESTS_UNIT_SEMAPHORE_SUBJECT_H
#define MAGPIE_TESTS_UNIT_SEMAPHORE_SUBJECT_H

#include <magpie/semaphore.h>

#include "support/matrix.h"

struct semaphore_subject {
	struct subject s;
	mag_semaphore semaphore;
	uint32_t n;
};

static struct semaphore_subject *semaphore_of(struct subject *s)
{
	return (struct semaphore_subject *)s;
}

static mag_frame *semaphore_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_semaphore_acquire(w, f, &semaphore_of(s)->semaphore, semaphore_of(s)->n);
}

static void semaphore_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	mag_semaphore_release(&semaphore_of(s)->semaphore, semaphore_of(s)->n);
}

static bool semaphore_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return mag_semaphore_try_acquire(&semaphore_of(s)->semaphore, semaphore_of(s)->n) == 0;
}

/* More than n permits are never free: one too many that is given ends the test. */
static void semaphore_subject(struct semaphore_subject *s, uint32_t n, enum mag_fairness fairness)
{
	s->s = (struct subject){ .wait = semaphore_wait, .give = semaphore_give, .reset = semaphore_reset,
				 .waitq = &s->semaphore.waitq };
	s->n = n;
	mag_semaphore_init_as(&s->semaphore, 0, n, fairness);
}

#endif
