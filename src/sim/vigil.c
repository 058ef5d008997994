/* SPDX-License-Identifier: MIT */
/* vigil.c - a step, or a job, that does not come to its next point: the run is over after some seconds of real time.
 *
 * Workers are fibers of one thread: who waits there by the system's means, for a mutex that another task holds, waits for
 * somebody who cannot go on. Only a signal gets in.
 *
 * Who:     the run's thread, and on it the handler of a timer's signal.
 * Always:  a look counts only when the thread has run since the last one: neither a machine that stands still nor a debugger
 *          is taken for the program. The handler stays when the run is over: a signal may still be under way.
 * Not:     a thread that looks on: a run takes 50 us, and a thread as long. CPU time: who waits takes none. Under
 *          ThreadSanitizer: it keeps signals back until the program calls something. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/peek.h"
#include "base/tsan.h"
#include "sim/sim.h"
#include "task/tree.h"

#ifndef sigev_notify_thread_id /* glibc before 2.38 */
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { LOOKS = 4, WORDS_BYTES = 160 };

#if defined(MAGI_TSAN)
enum { CAN_WATCH = false };
#else
enum { CAN_WATCH = true };
#endif

#define HELD_NS (10 * MAGI_NS_PER_S)

/* One that hardly anybody else takes; where it has a handler already, nobody watches. */
static int number(void)
{
	return SIGRTMIN + 9;
}

/* Whose step it is: its frame may be gone, when it is the library that does not go on. */
static void say_step(const struct magi_fiber *f, struct magi_text *t)
{
	mag_frame frame;
	mag_site at;

	if (!f->frame || !magi_peek_safely(&frame, f->frame, sizeof(frame))) {
		magi_text_add(t, "thread %s", f->name);
		return;
	}
	magi_text_add(t, "task %u", frame.id);
	if (!frame.at || !magi_peek_safely(&at, frame.at, sizeof(at))) {
		if (magi_self() && magi_self()->inside) { /* in a debug build */
			magi_text_add(t, " of ");
			magi_text_function(t, magi_self()->inside);
		}
		magi_text_add(t, ", in its first step,");
		return;
	}
	magi_text_add(t, " of ");
	magi_text_function(t, at.func);
	magi_text_add(t, ", after %s at ", at.what);
	magi_text_place(t, &at);
	magi_text_add(t, ",");
}

static void held(struct magi_sim *s)
{
	char words[WORDS_BYTES] = "";
	struct magi_text t = { .at = words, .room = sizeof(words) };

	say_step(s->current, &t);
	magi_sim_failed(s,
			"%s holds its worker: no point for %.1f s of real time; a loop, or a lock of the system's? "
			"(magpie/sim.h)",
			words, (double)s->held_ns / (double)MAGI_NS_PER_S);
	magi_fiber_abandon(s);
}

/* The report needs what the program holds: memory, or a stream. */
static void give_up(const struct magi_sim *s)
{
	if (!s->options.quiet)
		(void)!write(STDERR_FILENO, s->result.failure, strlen(s->result.failure));
	abort();
}

static void look(int number, siginfo_t *info, void *context)
{
	struct magi_sim *s = info->si_value.sival_ptr;

	(void)number;
	(void)context;
	if (info->si_code != SI_TIMER || !magi_host() || magi_host() != &s->host || !s->watched)
		return;
	if (s->seen_steps != s->result.steps)
		s->looks = 0;
	s->seen_steps = s->result.steps;
	if (++s->looks <= LOOKS)
		return;
	s->looks = 0;
	if (s->failed || !s->current)
		give_up(s);
	else
		held(s);
}

static bool take_signal(void)
{
	struct sigaction action = { .sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER }, now;

	if (sigaction(number(), NULL, &now) != 0)
		return false;
	if (now.sa_flags & SA_SIGINFO)
		return now.sa_sigaction == look;
	return now.sa_handler == SIG_DFL && sigaction(number(), &action, NULL) == 0;
}

void magi_vigil_begin(struct magi_sim *s)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_value.sival_ptr = s };
	uint64_t every = (s->options.held_ns ? s->options.held_ns : HELD_NS) / LOOKS;
	struct itimerspec at = { 0 };

	s->held_ns = every * LOOKS;
	at.it_interval.tv_sec = (time_t)(every / MAGI_NS_PER_S);
	at.it_interval.tv_nsec = (long)(every % MAGI_NS_PER_S) + !every; /* 0 would be none */
	at.it_value = at.it_interval;
	event.sigev_signo = number();
	event.sigev_notify_thread_id = gettid();
	if (!CAN_WATCH || s->options.held_ns == MAGI_NEVER || !take_signal() ||
	    timer_create(CLOCK_MONOTONIC, &event, &s->timer) != 0)
		return;
	s->watched = true;
	if (timer_settime(s->timer, 0, &at, NULL) != 0)
		magi_vigil_end(s);
}

void magi_vigil_end(struct magi_sim *s)
{
	if (s->watched)
		timer_delete(s->timer);
	s->watched = false;
}
