/* SPDX-License-Identifier: MIT */
/* shutdown.h - the end of a program in stages: it takes no more work, finishes what it has, is cancelled where that takes
 * too long, and says what has not ended even then.
 *
 *	mag_shutdown_init(&self->down, NULL);
 *	mag_shutdown_on_signals(&self->down, SIGINT, SIGTERM);
 *	MAG_GROUP_BEGIN(&self->all);
 *	MAG_SPAWN(self->rc, &self->all, server, .down = &self->down);
 *	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->down);  // until it begins, and to its end
 *	MAG_GROUP_END(self->rc, &self->all);
 *	mag_shutdown_fini(&self->down);
 *
 * and in each task that takes part:
 *
 *	MAG_SHUTDOWN_JOIN(self->down, &self->part, MAG_SHUTDOWN_WORK, "connections");
 *	…                                           // what is awaited in here is cancelled when its time is over
 *	MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
 *
 * Stages. From mag_shutdown_begin on the event is set; those that bring work in (MAG_SHUTDOWN_TAKING) are cancelled at once.
 * Those that do the work have `drain_ns`; then they are cancelled, and again have `cancel_ns`. What the others need
 * (MAG_SHUTDOWN_LAST) is cancelled when these have left. Cancellation is as of a scope: every await returns MAG_ECANCELED,
 * until the participant leaves; cleanup is shielded.
 *
 * Signals: the first begins it, a second one cancels all at once, a third does what it did before.
 *
 * The name mag_shutdown is that of a function already (shutdown(2) of a socket), so this is `struct mag_shutdown`. The
 * memory is the caller's; its tasks belong to one runtime. */
#ifndef MAGPIE_SHUTDOWN_H
#define MAGPIE_SHUTDOWN_H

#include <magpie/event.h>
#include <magpie/group.h>
#include <magpie/signal.h>
#include <magpie/time.h>

MAGI_C_BEGIN

enum mag_shutdown_stage {
	MAG_SHUTDOWN_TAKING = 0, /* brings in work: cancelled when it begins */
	MAG_SHUTDOWN_WORK = 1,   /* finishes what it has: cancelled `drain_ns` later */
	MAG_SHUTDOWN_LAST = 2    /* others need it: cancelled when they have left, or with them */
};

enum mag_shutdown_state {
	MAG_SHUTDOWN_OFF,       /* it has not begun */
	MAG_SHUTDOWN_DRAINING,  /* until all have left or `drain_ns` are over */
	MAG_SHUTDOWN_CANCELLED, /* all were cancelled: until all have left or `cancel_ns` are over */
	MAG_SHUTDOWN_OVER       /* for good; who comes now is cancelled */
};

/* How it was. */
struct mag_shutdown_report {
	uint32_t finished;  /* participants that have left in their time */
	uint32_t cancelled; /* that have left after all were cancelled */
	uint32_t left;      /* that are still there */
	int signal;         /* what has begun it; 0: a call */
	bool hurried;       /* by a second signal, mag_shutdown_hurry, or a cancellation of mag_shutdown_run */
	uint64_t ns;        /* from its beginning on */
};

struct mag_shutdown;

struct mag_shutdown_options {
	size_t size;        /* sizeof(struct mag_shutdown_options) */
	uint64_t drain_ns;  /* 0: 10 s; MAG_NEVER: no limit */
	uint64_t cancel_ns; /* 0: 5 s; MAG_NEVER: no limit */
	uint32_t signals;   /* how many are taken, the next does what it did before; 0: 2 */
	bool abort;         /* ends the program where somebody has not left in the end; else it goes on */
	/* Called at the end, in mag_shutdown_run's task. NULL: who has not left is said on stderr, with what the runtime's
	 * tasks are at. */
	void (*report)(void *ctx, struct mag_shutdown *shutdown, const struct mag_shutdown_report *report);
	void *ctx;
};

/* One that takes part, from MAG_SHUTDOWN_JOIN to MAG_SHUTDOWN_LEAVE; in its task's frame. */
struct mag_shutdown_part {
	mag_scope scope;
	struct magi_open_hook hook;
	struct mag_shutdown *shutdown;
	struct mag_shutdown_part *next, **pprev;
	const char *name;
	uint32_t stage;
	uint32_t told; /* it was cancelled; under the lock */
};

struct mag_shutdown {
	struct magi_waitq waitq; /* of mag_shutdown_run */
	mag_event going;
	/* under the lock */
	struct mag_shutdown_part *parts[3]; /* by stage */
	uint32_t count[3];
	enum mag_shutdown_state state;
	uint32_t news;      /* for mag_shutdown_run, which was not waiting */
	uint64_t state_end; /* when the state is to end */
	uint64_t began;
	uint32_t running;   /* mag_shutdown_run is */
	uint32_t telling;   /* so many are about to set `going` */
	uint32_t listening; /* `signals` is open */
	struct mag_shutdown_options options;
	struct mag_shutdown_report report;
	mag_signal signals;
};

/* Makes the memory a shutdown that has not begun. options: NULL for the defaults.
 *
 * Threads:  any
 * Returns:  0, -EINVAL (options of another size)
 * Since:    0.2 */
MAG_API int mag_shutdown_init(struct mag_shutdown *shutdown, const struct mag_shutdown_options *options);

/* Ends it. Nobody takes part in it any more.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody does, or mag_shutdown_run runs (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_shutdown_fini(struct mag_shutdown *shutdown);

/* mag_shutdown_on_signals(&shutdown, SIGINT, SIGTERM): each of these begins it, or hurries, while mag_shutdown_run runs.
 * Those that come before are kept for it; after it they do what they did before.
 *
 * Threads:  any; before mag_shutdown_run
 * Returns:  0, -EBUSY (they are set already), or what mag_signal_open returns
 * Since:    0.2 */
#define mag_shutdown_on_signals(shutdown, ...)                           \
	magi_shutdown_on_signals((shutdown), (const int[]){ __VA_ARGS__ }, \
				 sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))
MAG_API int magi_shutdown_on_signals(struct mag_shutdown *shutdown, const int *set, size_t n);

/* MAG_CALL(left, mag_shutdown_run, .shutdown = &shutdown): waits until it begins, then leads it through its stages. When
 * its own scope is cancelled it begins and hurries.
 *
 * Await:    yes; cancelled, it still waits for the participants: for `cancel_ns`
 * Returns:  how many participants have not left; MAG_ECANCELED (ask mag_shutdown_count), -EBUSY: it runs already, or is
 *           over; -ENOMEM, MAG_EDEPTH: it was not begun
 * Since:    0.2 */
struct mag_shutdown_run {
	mag_frame frame;
	MAG_ARGS(mag_shutdown_run, struct mag_shutdown *shutdown;);
	mag_group group;
	mag_scope shield;
	int64_t rc, waste, why;
};
MAG_API MAG_DECLARE_TASK(mag_shutdown_run);

/* Begins it. Never waits.
 *
 * Threads:  any
 * Returns:  1, or 0 when it had begun
 * Since:    0.2 */
MAG_API int mag_shutdown_begin(struct mag_shutdown *shutdown);

/* Begins it, if that is to be done yet, and cancels all who take part at once. Never waits.
 *
 * Threads:  any
 * Returns:  1, or 0 when they had been cancelled
 * Since:    0.2 */
MAG_API int mag_shutdown_hurry(struct mag_shutdown *shutdown);

/* The event that is set when it begins: to be awaited, or a case of mag_select.  Threads: any */
MAG_API mag_event *mag_shutdown_event(struct mag_shutdown *shutdown);

/* Takes part from here on, in this stage, with this name (which must live as long). What follows, up to the leave, lies
 * in a scope that is cancelled when its time has come; when it has come already, at once. Never fails. */
#define MAG_SHUTDOWN_JOIN(shutdown, part, stage, name)                                        \
	do {                                                                                  \
		MAGI_SITE(NULL, #part);                                                       \
		magi_shutdown_join(w, &self->frame, (shutdown), (part), (stage), (name));     \
	} while (0)

/* Leaves, and the scope; joins what was forked in it. So does the end of the frame. dst: 0, or MAG_ECANCELED: it was
 * cancelled. */
#define MAG_SHUTDOWN_LEAVE(dst, part)                                                                       \
	do {                                                                                                \
		MAGI_JOIN_FIRST;                                                                            \
		MAGI_AWAIT(dst, "MAG_SHUTDOWN_LEAVE", magi_shutdown_leave(w, &self->frame, (part)));        \
	} while (0)

MAG_API void magi_shutdown_join(mag_worker *w, mag_frame *f, struct mag_shutdown *shutdown,
				struct mag_shutdown_part *part, enum mag_shutdown_stage stage, const char *name);
MAG_API mag_frame *magi_shutdown_leave(mag_worker *w, mag_frame *f, struct mag_shutdown_part *part);

/* Where it is.  Threads: any */
MAG_API enum mag_shutdown_state mag_shutdown_state(struct mag_shutdown *shutdown);

/* How many take part; and the names of the first `most` of them, in no order. names may be NULL.
 *
 * Threads:  any; a name is its participant's
 * Since:    0.2 */
MAG_API size_t mag_shutdown_count(struct mag_shutdown *shutdown, const char **names, size_t most);

MAGI_C_END

#endif
