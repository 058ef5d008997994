/* SPDX-License-Identifier: MIT */
/* idle_outside.h - what lies outside of the model of test_idle.c: the io is a doorbell, all else does nothing. Part of that
 * file, whose variables it uses. */
#ifndef MAGPIE_TESTS_MODEL_IDLE_OUTSIDE_H
#define MAGPIE_TESTS_MODEL_IDLE_OUTSIDE_H

static void wake(struct magi_io *io, struct magi_io *from)
{
	(void)from;
	explore_ring(thread_of[(struct magi_worker *)(void *)io - worker]);
}

static bool nothing_due(struct magi_io *io)
{
	(void)io;
	return false;
}

static uint64_t no_time(struct magi_io *io)
{
	(void)io;
	return 0;
}

static const struct magi_io_ops ops = { .wake = wake, .due = nothing_due, .now = no_time };

/* A sleep that ends by itself: this often is enough to see that it looks again. It is a help where nobody is obliged to
 * wake anybody; where somebody is, the model does not want it. */
bool magi_io_poll(struct magi_worker *w, uint64_t deadline)
{
	(void)w;
	polled[explore_thread()] = true;
	if (deadline == MAGI_NEVER || !watching_helps)
		explore_sleep();
	else if (++waited[explore_thread()] > PATIENCE)
		explore_leave();
	return false;
}

/* One letter, to worker 0. */
void magi_io_read_mail(struct magi_worker *w)
{
	if (gets_mail && w == &worker[0] && magi_load_acq(&mailbox) && magi_xchg_ar(&mailbox, 0u))
		letters++;
}

size_t magi_timers_expire(struct magi_worker *w, struct magi_worker *of, uint64_t now)
{
	(void)w;
	(void)of;
	(void)now;
	return 0;
}

void magi_slab_publish(struct magi_worker *w)
{
	(void)w;
}

void magi_group_flush(struct magi_worker *w)
{
	(void)w;
}

bool magi_barrier_works(void)
{
	return true;
}

#endif
