/* SPDX-License-Identifier: MIT */
/* test_signal_select.c - src/process/signal.c: a signal as a case of mag_select, given once or kept. */
#include <magpie/magpie.h>

#include "support/matrix.h"

#include "process/signal.h"

static void tell(int number)
{
	magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (number - 1));
}

struct selects {
	mag_frame frame;
	MAG_ARGS(selects, mag_signal *signal; mag_event *event; int64_t * chosen; int64_t * result;);
	mag_case cases[2];
};

MAG_TASK(selects)
{
	MAG_BEGIN(selects);
	mag_case_signal(&self->cases[0], self->signal);
	mag_case_event(&self->cases[1], self->event);
	MAG_AWAIT(*self->chosen, mag_select, self->cases, 2);
	*self->result = self->cases[0].result;
	MAG_RETURN(0);
	MAG_END;
}

enum what { PENDING, COMES, CLOSED, CLOSES, OTHER, BOTH, CANCELLED, WHAT_MAX };

struct one {
	mag_frame frame;
	MAG_ARGS(one, enum what what;);
	mag_signal signal;
	mag_event event;
	mag_group group;
	int64_t rc, chosen, result;
};

static bool is_as_it_should(const struct one *s)
{
	switch (s->what) {
	case CLOSED:
	case CLOSES:
		return s->chosen == 0 && s->result == MAG_ECLOSED;
	case OTHER:
		return s->chosen == 1;
	case BOTH:
		return s->chosen == 1 || (s->chosen == 0 && s->result == SIGUSR1);
	case CANCELLED:
		return s->chosen == MAG_ECANCELED;
	default:
		return s->chosen == 0 && s->result == SIGUSR1;
	}
}

MAG_TASK(one)
{
	MAG_BEGIN(one);
	self->chosen = self->result = 99;
	mag_event_init(&self->event);
	NEED(mag_signal_open(&self->signal, SIGUSR1) == 0);
	if (self->what == PENDING)
		tell(SIGUSR1);
	if (self->what == CLOSED)
		mag_signal_close(&self->signal);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, selects, .signal = &self->signal, .event = &self->event,
		  .chosen = &self->chosen, .result = &self->result);
	if (self->what != PENDING && self->what != CLOSED)
		UNTIL_WAITING(self->rc, &self->signal.waitq, 1);
	if (self->what == OTHER || self->what == BOTH)
		mag_event_set(&self->event);
	if (self->what == COMES || self->what == BOTH)
		tell(SIGUSR1);
	if (self->what == CLOSES)
		mag_signal_close(&self->signal);
	if (self->what == CANCELLED)
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(is_as_it_should(self));
	NEED(waiting(&self->signal.waitq) == 0 && waiting(&self->event.waitq) == 0);
	if (self->what == OTHER || self->what == CANCELLED) /* it is not lost to who did not wait for it any more */
		tell(SIGUSR1);
	if (self->what >= OTHER && self->chosen != 0)
		NEED(mag_signal_try_next(&self->signal) == SIGUSR1);
	NEED(mag_signal_try_next(&self->signal) == (self->what == CLOSED || self->what == CLOSES ? MAG_ECLOSED : -EAGAIN));
	mag_signal_close(&self->signal);
	NEED(mag_event_fini(&self->event) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a take that leaves the signal pending; one that does not look whether the receiver is closed. */
Test(signal_select, is_given_once_or_kept, .timeout = 30)
{
	for (enum what what = PENDING; what < WHAT_MAX; what++) {
		for (int i = 0; i < 20; i++) {
			int64_t rc = RUN(2, one, .what = what);

			cr_assert_eq(rc, 0, "%d: %s", (int)what, where(rc));
		}
	}
}
