/* SPDX-License-Identifier: MIT */
/* epoll.h - the backend without io_uring, as the files epoll*.c share it. Nothing else but tests looks inside.
 *
 * epoll.c the contract; epoll_op.c operations and their tokens; epoll_fd.c what is known of each descriptor, and its
 * registration; epoll_try.c operations that are tried without blocking; epoll_file.c those that a thread does;
 * epoll_fifo.c the one that may wait there for ever; epoll_bell.c sleeping and waking.
 *
 * What:    an operation is tried in a poll. One that would block waits at its descriptor until epoll tells of an edge.
 *          Registrations are edge-triggered and stay, so a request of a busy connection costs one call and its share of
 *          an epoll_wait; `ready` remembers between two edges whether a try is worth while.
 * Who:     the owner, but for what stands under "any thread".
 * Always:  an operation is in the work queue, waits in one list, or is lent to a thread; its record comes from poll.
 *          `ready` of a side is false only while the registration covers that side: an edge sets it again.
 *          What was learned of a descriptor holds for one open file: magi_req.file tells which. Events name the
 *          generation of what was learned, and stale ones are dropped.
 * Pairs:   [erung], [efinished], [eguests] epoll_bell.c */
#ifndef MAGI_IO_EPOLL_H
#define MAGI_IO_EPOLL_H

#include <limits.h>
#include <sys/epoll.h>

#include "io/io.h"

enum {
	MAGI_EPOLL_EVENTS = 128, /* taken at a time; two polls' worth of records */
	MAGI_EPOLL_CHUNK = 256,  /* descriptors */
	MAGI_EPOLL_OPS = 64,     /* allocated together */
	MAGI_EPOLL_BUFS = 256,   /* receive buffers at most: 2 MiB */
	MAGI_EPOLL_HUNGRY = 64,  /* a poll's worth: fewer than that many, and more are asked for */
	MAGI_EPOLL_FAILED = 256  /* requests that found no memory, in one turn */
};

enum { MAGI_EPOLL_READ, MAGI_EPOLL_WRITE, MAGI_EPOLL_SIDES };

/* What a try answers besides results. */
enum {
	MAGI_EPOLL_WAIT = INT_MIN, /* it would block: epoll tells when to try again */
	MAGI_EPOLL_PUNT,           /* it would block, and epoll cannot tell: a thread is to do it */
	MAGI_EPOLL_NAP             /* it would block, and nobody can tell: again in a moment */
};

enum magi_epoll_state {
	MAGI_EPOLL_QUEUED,  /* in the work queue, not begun */
	MAGI_EPOLL_WAITING, /* in the list `in`, to be tried or to wait; left for the three others */
	MAGI_EPOLL_LENT,    /* a thread has it; left for ENDED when it comes back */
	MAGI_EPOLL_ENDED    /* in the work queue: `res` is the terminal record's */
};

/* A place in the work queue: an operation, or a side of a descriptor whose operations are to be tried. */
struct magi_epoll_work {
	struct magi_epoll_work *next;
	bool side;
	bool queued;
};

struct magi_epoll_op {
	struct magi_epoll_work work;
	uint8_t state; /* enum magi_epoll_state */
	bool connecting;
	struct magi_req req;
	struct magi_epoll *io;
	struct magi_epoll_op *next, *prev; /* in the list; next: among the free and the finished ones */
	struct magi_epoll_list *in;
	struct magi_epoll_op *same; /* of the same hash */
	int32_t res;
	uint32_t moved;     /* bytes that were read before a thread took over */
	uint32_t cancelled; /* atomic: a thread need not begin any more */
};

struct magi_epoll_list {
	struct magi_epoll_op *first, *last;
};

struct magi_epoll_side {
	struct magi_epoll_work work;
	struct magi_epoll_list ops;
	bool ready;  /* a try may succeed */
	bool waited; /* one of them has waited since the last event of this side */
	uint8_t direction;
};

enum magi_epoll_kind {
	MAGI_EPOLL_UNKNOWN,
	MAGI_EPOLL_STREAM, /* a pipe, a socket: a try can be made not to block */
	MAGI_EPOLL_OTHER,  /* a terminal, a device: it blocks unless it polls ready */
	MAGI_EPOLL_FILE,   /* on a disk; what is in memory can be read at once */
	MAGI_EPOLL_DIRECT  /* the same past the page cache, or nobody can say what is in it: a thread must read */
};

enum magi_epoll_protocol { MAGI_EPOLL_UNASKED, MAGI_EPOLL_TCP, MAGI_EPOLL_NOT_TCP };

struct magi_epoll_fd {
	uint64_t file;       /* which open file the rest is about; 0: not known, so nothing of it is believed */
	uint32_t generation; /* of the events that are about it */
	uint32_t mask;       /* events that it is registered for; 0: not */
	int fd;
	uint8_t kind;     /* enum magi_epoll_kind */
	uint8_t protocol; /* enum magi_epoll_protocol */
	bool careful;  /* an end, an error, or something urgent is there: a short read does not mean that it is empty */
	bool nonblock; /* O_NONBLOCK is set */
	bool used;     /* some operation has come since the last event */
	struct magi_epoll_side side[MAGI_EPOLL_SIDES];
	struct magi_epoll_list polls;
};

struct magi_epoll {
	/* owner only */
	int epfd;
	bool no_pwait2;
	bool wanted;     /* some request has asked for a buffer */
	bool dozes;      /* the owner waits elsewhere */
	uint8_t skipped; /* polls in a row that did not ask epoll */
	uint32_t pending;
	uint32_t waiting;   /* operations in lists */
	uint64_t looked_at; /* ticks: when epoll was asked last */
	uint64_t pause_ticks;
	uint64_t nap_until;
	struct magi_epoll_list naps;
	struct magi_epoll_work *work_first, **work_end;
	struct magi_epoll_fd **chunks; /* of MAGI_EPOLL_CHUNK descriptors */
	uint32_t chunk_count;
	uint32_t buffer_count;
	uint32_t failed_count;
	struct magi_epoll_op *free_ops;
	struct magi_epoll_block *blocks;
	struct magi_epoll_op **hash; /* by token */
	uint32_t hash_size;
	uint32_t op_count;
	int (*punt)(void *ctx, int64_t (*fn)(void *arg), void *arg);
	void *punt_ctx;
	uint64_t failed[MAGI_EPOLL_FAILED]; /* tokens */
	void *buffers[MAGI_EPOLL_BUFS];
	char pad[MAGI_CACHE_LINE];

	/* any thread */
	uint32_t state;                 /* atomic: enum magi_epoll_sleep */
	uint32_t guests;                /* atomic: threads that have an operation, or still ring after one */
	struct magi_epoll_op *finished; /* atomic: operations that threads give back */
	int eventfd;                    /* constant */
};

/* epoll_op.c */
int magi_epoll_ops_init(struct magi_epoll *u);
void magi_epoll_ops_fini(struct magi_epoll *u);
/* Counted in `pending`, in no list. NULL: no memory. */
struct magi_epoll_op *magi_epoll_op_new(struct magi_epoll *u, const struct magi_req *req);
struct magi_epoll_op *magi_epoll_op_find(const struct magi_epoll *u, uint64_t token);
/* Its terminal record has been made. */
void magi_epoll_op_free(struct magi_epoll *u, struct magi_epoll_op *op);
void magi_epoll_list_add(struct magi_epoll_list *list, struct magi_epoll_op *op);
/* Out of the list that it is in. */
void magi_epoll_list_remove(struct magi_epoll_op *op);
void magi_epoll_work_add(struct magi_epoll *u, struct magi_epoll_work *work);
struct magi_epoll_work *magi_epoll_work_take(struct magi_epoll *u);
/* Queues it for its terminal record; it is in no list but perhaps in the work queue. */
void magi_epoll_end(struct magi_epoll *u, struct magi_epoll_op *op, int res);

/* epoll_fd.c */
int magi_epoll_fds_init(struct magi_epoll *u);
void magi_epoll_fds_fini(struct magi_epoll *u);
/* What is known of the descriptor; NULL and *why: nothing can be. */
struct magi_epoll_fd *magi_epoll_fd_find(struct magi_epoll *u, int fd, int *why);
/* The request is about e: forgets what was learned of another file. */
void magi_epoll_fd_use(struct magi_epoll *u, struct magi_epoll_fd *e, const struct magi_req *req);
struct magi_epoll_fd *magi_epoll_fd_of(struct magi_epoll_side *s);
/* Has the side's operations tried, if there are some and it is worth while. */
void magi_epoll_activate(struct magi_epoll *u, struct magi_epoll_side *s);
/* From now on epoll tells of these events, and of those that are there already. 0, or -errno. */
int magi_epoll_arm(struct magi_epoll *u, struct magi_epoll_fd *e, uint32_t events);
/* A try of the side has found nothing: the next waits for an edge. 0, or -errno. */
int magi_epoll_expect(struct magi_epoll *u, struct magi_epoll_side *s);
/* Whether a receive that came back with less than it asked for has emptied it. */
bool magi_epoll_is_empty(struct magi_epoll_fd *e);
void magi_epoll_event(struct magi_epoll *u, const struct epoll_event *event);
/* The descriptor is about to be closed. */
void magi_epoll_forget(struct magi_epoll *u, struct magi_epoll_fd *e);

/* epoll_try.c */
/* One of a side's operations: the result, or MAGI_EPOLL_…; with it rec's flags and buffer. */
int magi_epoll_try(struct magi_epoll *u, struct magi_epoll_fd *e, struct magi_epoll_op *op, struct magi_rec *rec);
/* A send, tried: the result, or MAGI_IO_LATER. */
int magi_epoll_send(const struct magi_req *req);
/* The events of `wanted` that are there, 0, or -errno. */
int magi_epoll_look(int fd, uint32_t wanted);

/* epoll_file.c */
/* A read or a write of a descriptor, as the above. */
int magi_epoll_transfer(struct magi_epoll_fd *e, struct magi_epoll_op *op);
/* An operation that may block, done here and now. */
int magi_epoll_block(struct magi_epoll_op *op);
/* Has a thread do it. */
void magi_epoll_lend(struct magi_epoll *u, struct magi_epoll_op *op);

/* epoll_fifo.c */
int magi_epoll_open(struct magi_epoll_op *op);

/* epoll_bell.c */
int magi_epoll_bell_init(struct magi_epoll *u);
void magi_epoll_bell_fini(struct magi_epoll *u);
/* Before blocking. False: somebody has rung. */
bool magi_epoll_fall_asleep(struct magi_epoll *u);
/* After blocking. True: somebody has rung. */
bool magi_epoll_get_up(struct magi_epoll *u);
void magi_epoll_wake(struct magi_epoll *u);
/* Takes what epoll has to tell, after `wait_ns` at the most. -EINTR: a signal. */
int magi_epoll_harvest(struct magi_epoll *u, uint64_t wait_ns);
/* A thread has done it; it is the owner's again, and may be gone when this returns. */
void magi_epoll_give_back(struct magi_epoll_op *op);
/* Queues what threads have given back. */
void magi_epoll_collect(struct magi_epoll *u);
/* Waits until no thread is about to ring any more; none has an operation. */
void magi_epoll_guests_gone(struct magi_epoll *u);

#endif
