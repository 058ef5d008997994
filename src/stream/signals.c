/* SPDX-License-Identifier: MIT */
/* signals.c - a stream of signals.
 *
 * Who:     the task that asks, which waits for the receiver as it would without a stream. */
#include <errno.h>
#include <magpie/stream_source.h>

#include "stream/stream.h"

static mag_signal *signal_of(mag_stream *s)
{
	return ((mag_stream_signals *)(void *)s)->signal;
}

static int64_t signals_next(mag_stream *s, void *out, mag_stream **who)
{
	int number;

	if (s->held)
		return magi_stream_give_held(s, out);
	if (s->ended)
		return magi_stream_over(s);
	number = mag_signal_try_next(signal_of(s));
	if (number == -EAGAIN)
		return magi_stream_wait_for(s, who);
	if (number < 0)
		return magi_stream_end(s, 0);
	*(int *)out = number;
	return 1;
}

static mag_frame *signals_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	(void)room;
	return mag_signal_next(w, f, signal_of(s));
}

static int64_t signals_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	(void)f;
	if (rc == MAG_ECANCELED)
		return rc;
	if (rc < 0)
		return magi_stream_ends(s, 0);
	*(int *)room = (int)rc;
	s->held = room;
	return 0;
}

static const mag_site signals_site = MAGI_STREAM_SITE("mag_signal_next of a stream");
static const struct magi_stream_ops signals_ops = {
	.site = &signals_site, .next = signals_next, .wait = signals_wait, .woken = signals_woken
};

int mag_stream_signals_init(mag_stream_signals *s, mag_signal *signal)
{
	int rc = magi_stream_init(s ? &s->stream : NULL, &signals_ops, NULL, signal ? sizeof(int) : 0);

	if (rc == 0)
		s->signal = signal;
	return rc;
}
