/* SPDX-License-Identifier: MIT */
/* host.h - who answers when the library asks for time, threads, sleep or chance: the system, or a simulation; or a
 * stress run, which has real threads and only gets in their way.
 *
 * What:    a simulation puts itself in the system's place on its own thread: there a "thread" is one of its coroutines,
 *          time is its own, nobody really sleeps, and at each point it may let another coroutine go on. The library's
 *          code is the same in both: it asks through clock.h, thread.h, futex.h and alloc.h, which look here first.
 * Who:     set by the simulation, for its own thread; asked by any.
 * Always:  NULL on every thread that runs no simulation: then the cost is one load and a branch. */
#ifndef MAGI_BASE_HOST_H
#define MAGI_BASE_HOST_H

#include <magpie/impl/api.h>

/* What may go wrong, or come in another way than usual. A simulation decides each time by its seed. */
enum magi_chance {
	MAGI_CHANCE_SHORT,     /* a read or write moves less than it could */
	MAGI_CHANCE_DELAY,     /* a completion comes late */
	MAGI_CHANCE_CANCEL,    /* a cancel comes too late, or the completion before it */
	MAGI_CHANCE_MULTISHOT, /* a multishot ends early */
	MAGI_CHANCE_RING,      /* the queues of the ring are full: few records at once, requests kept back */
	MAGI_CHANCE_BUFFERS,   /* the ring has no receive buffer left */
	MAGI_CHANCE_WAKE,      /* a poll returns with nothing, a sleeper wakes for nothing */
	MAGI_CHANCE_RESET,     /* a connection breaks */
	MAGI_CHANCE_LOSS,      /* a datagram is lost, comes twice or late; a network is cut for a while */
	MAGI_CHANCE_SLOW,      /* a peer, or a line, is slow */
	MAGI_CHANCE_DISK,      /* EIO, ENOSPC; what was not synced is lost */
	MAGI_CHANCE_FD,        /* EMFILE, ENFILE */
	MAGI_CHANCE_NAME,      /* a name is not resolved */
	MAGI_CHANCE_MEMORY,    /* no memory, no thread */
	MAGI_CHANCE_MIGRATE,   /* a woken task goes on at another worker */
	MAGI_CHANCES
};

/* Where a coroutine stands when it asks whether another goes first. */
enum magi_point {
	MAGI_POINT_STEP,   /* before a step of a task; `what`: its frame */
	MAGI_POINT_IO,     /* before it talks to its io */
	MAGI_POINT_ATOMIC, /* before an atomic operation that decides something; before each in builds with MAGI_POINTS */
	MAGI_POINT_JOB     /* before an offloaded job */
};

/* What is written down of a run. The numbers are ids and results, never addresses. */
enum magi_note {
	MAGI_NOTE_SUBMIT,
	MAGI_NOTE_RECORD,
	MAGI_NOTE_CANCEL,
	MAGI_NOTE_SYSTEM,
	MAGI_NOTE_NET,
	MAGI_NOTE_DISK
};

struct magi_host;
struct magi_world;
struct magi_sys;
struct magi_ledger;
struct magi_receivers;
struct magi_thread_start;

struct magi_host_ops {
	/* Monotonic, ns. Goes on a little with each call. */
	uint64_t (*now)(struct magi_host *h);
	/* Others first. */
	void (*yield)(struct magi_host *h);
	/* As futex(2): sleeps while *word is `value`, for `ns` at most (UINT64_MAX: for ever); false: the time is over. */
	bool (*wait)(struct magi_host *h, uint32_t *word, uint32_t value, uint64_t ns);
	void (*wake)(struct magi_host *h, uint32_t *word, uint32_t n);
	/* Starts a coroutine; 0 or -errno. */
	int (*start)(struct magi_host *h, const struct magi_thread_start *start, uint64_t *id);
	void (*join)(struct magi_host *h, uint64_t id);
	uint64_t (*self)(struct magi_host *h);
	void (*name)(struct magi_host *h, const char *name);
	void (*point)(struct magi_host *h, enum magi_point point, const void *what);
	/* Whether it happens now. */
	bool (*chance)(struct magi_host *h, enum magi_chance what);
	/* Below n, n > 0. */
	uint32_t (*random)(struct magi_host *h, uint32_t n);
	void (*note)(struct magi_host *h, enum magi_note note, int64_t a, int64_t b, int64_t c);
};

struct magi_host {
	const struct magi_host_ops *ops;
	struct magi_world *world;   /* the kernel's place: sockets, files */
	const struct magi_sys *sys; /* its system calls; NULL: the real ones */
	struct magi_ledger *ledger; /* what the program has taken and not given back */
	bool alone;                 /* all runs on this thread */
	struct magi_receivers *receivers; /* alone: of signals (process/signal.h); NULL: there are none */
};

/* The simulation that this thread runs, or NULL. */
extern __thread struct magi_host *magi_host_here __attribute__((tls_model("initial-exec")));

static inline struct magi_host *magi_host(void)
{
	return magi_host_here;
}

static inline void magi_point(enum magi_point point, const void *what)
{
	struct magi_host *h = magi_host();

	if (__builtin_expect(h != NULL, 0))
		h->ops->point(h, point, what);
}

/* What builds with MAGI_POINTS do before each atomic operation. */
void magi_atomic_point(void);

static inline bool magi_chance(enum magi_chance what)
{
	struct magi_host *h = magi_host();

	return __builtin_expect(h != NULL, 0) && h->ops->chance(h, what);
}

static inline void magi_note(enum magi_note note, int64_t a, int64_t b, int64_t c)
{
	struct magi_host *h = magi_host();

	if (__builtin_expect(h != NULL, 0))
		h->ops->note(h, note, a, b, c);
}

#endif
