/* SPDX-License-Identifier: MIT */
/* testio_world.h - the test backend's insides, as the files testio*.c share them.
 *
 * testio.c the contract; testio_world.c clock, sleep and descriptors; testio_object.c what descriptors name;
 * testio_fake.c operations on those; testio_real.c operations that the system does; testio_op.c an operation's life.
 *
 * Always:  everything is under the world's lock, but for `now` and an io's `pending` (its owner's).
 *          An operation is on one list: its io's `work` or `real`, or an object's `waiters`; or on none, when it is
 *          over and only its records are still to be handed out. */
#ifndef MAGI_IO_TESTIO_WORLD_H
#define MAGI_IO_TESTIO_WORLD_H

#include <pthread.h>
#include <sys/stat.h>

#include "base/random.h"
#include "io/testio.h"

#define TESTIO_WAIT INT32_MIN /* in place of a result: it would block */

enum {
	TESTIO_BACKLOG = 16,        /* connections that wait at a listener */
	TESTIO_BUFFERS = 16,        /* receive buffers an io takes: few, so that they run out */
	TESTIO_HUNGRY = 4,
	TESTIO_HASH = 256,
	TESTIO_BOUNCE_MAX = 1 << 18 /* longer reads fall short */
};

enum testio_kind { TESTIO_SOCKET, TESTIO_STREAM, TESTIO_LISTENER, TESTIO_FILE };

struct testio_op;
struct testio_io;

struct testio_list {
	struct testio_op *first, *last;
};

/* One direction of a stream. Freed when both its ends are gone. */
struct testio_channel {
	char *data; /* a ring */
	uint32_t capacity, head, count;
	bool ended;   /* nothing more will be written */
	bool stopped; /* nothing more will be read */
	bool reset;
	struct testio_object *reader, *writer; /* NULL: gone */
};

struct testio_object {
	enum testio_kind kind;
	uint32_t refs; /* descriptors and operations under way */
	struct magi_testio_world *world;
	struct testio_list waiters;
	struct testio_channel *in, *out; /* of a stream; a pipe's ends have one */
	uint32_t port;                   /* of a listener */
	uint32_t queued;                 /* connections that wait there */
	struct testio_object *queue[TESTIO_BACKLOG];
	char *bytes;                     /* of a file */
	uint64_t size, position;
};

struct testio_op {
	struct magi_req req;
	struct testio_io *io;
	struct testio_object *object; /* NULL: not begun, or the system's */
	struct testio_list *list;
	struct testio_op *prev, *next;
	struct testio_op *hash_next;
	uint64_t round; /* not tried before */
	uint64_t told;  /* not before the round of its last record */
	char *bounce;   /* what it has read, until the terminal record */
	uint32_t bounced;
	struct msghdr msg;      /* what RECVMSG found out */
	bool begun, cancelled, over;
	bool connecting; /* the system has begun it */
};

/* A record to be handed out. */
struct testio_out {
	struct testio_out *next;
	struct testio_op *op;
	struct magi_rec rec;
	uint64_t round; /* not before */
};

struct testio_io {
	struct magi_testio_world *world;
	struct testio_io *next;
	struct magi_random random;
	pthread_cond_t stir;
	uint64_t round; /* of looking at the operations: at least one a poll */
	struct testio_list work, real;
	struct testio_op *hash[TESTIO_HASH];
	struct testio_out *outs, **outs_end;
	void *buffers[TESTIO_BUFFERS];
	uint32_t buffer_count;
	uint32_t pending; /* owner only */
	bool wanted;      /* a request has asked for a buffer */
	bool woken;
	bool blocked;
	uint32_t calm;    /* how often in a row the system's operations were tried in vain */
	uint64_t deadline;
};

struct magi_testio_world {
	pthread_mutex_t lock;
	uint64_t now; /* atomic; written under the lock */
	struct magi_random random;
	enum magi_testio_mode mode;
	bool automatic;
	uint32_t holds;
	struct testio_io *ios;
	struct testio_object **fds;
	uint32_t fd_slots, fd_count, fd_limit;
	uint32_t stream_bytes;
};

/* Cleared memory; the test ends when there is none: faults are planned for the code under test, not for this. */
void *magi_testio_new(size_t size);

/* testio_world.c, under the lock */
int magi_testio_fd_add(struct magi_testio_world *world, struct testio_object *object);
struct testio_object *magi_testio_fd_find(struct magi_testio_world *world, int fd);
int magi_testio_fd_close(struct magi_testio_world *world, int fd);
struct testio_object *magi_testio_find_port(struct magi_testio_world *world, uint32_t port);
void magi_testio_stir(struct testio_io *io);
/* Moves the clock if it may go by itself and all that are open wait. */
void magi_testio_rest(struct magi_testio_world *world);
/* Waits for a stir, or moves the clock when all wait. */
void magi_testio_sleep(struct testio_io *io, uint64_t deadline);

/* testio_object.c */
struct testio_object *magi_testio_object(struct magi_testio_world *world, enum testio_kind kind);
/* A direction from writer to reader. */
void magi_testio_channel(struct testio_object *reader, struct testio_object *writer);
void magi_testio_object_drop(struct testio_object *object);
/* Something about it is different: all that wait there are tried again. */
void magi_testio_changed(struct testio_object *object);
uint32_t magi_testio_channel_read(struct testio_channel *c, void *to, uint32_t n, bool peek);
uint32_t magi_testio_channel_write(struct testio_channel *c, const void *from, uint32_t n);

/* Where an operation's bytes are kept until its terminal record; NULL when memory is out. */
char *magi_testio_bounce(struct testio_op *op, uint32_t n);
/* Now and then less than n, in completion mode. */
uint32_t magi_testio_shorten(struct testio_io *io, uint32_t n);

/* testio_fake.c, testio_real.c: try once; the result or TESTIO_WAIT. */
int magi_testio_fake(struct testio_op *op, struct testio_object **where, struct magi_rec *rec);
int magi_testio_real(struct testio_op *op, struct magi_rec *rec);
bool magi_testio_is_real(const struct magi_req *req);

/* testio_op.c */
void magi_testio_list_add(struct testio_list *list, struct testio_op *op);
void magi_testio_list_remove(struct testio_op *op);
void magi_testio_submit(struct testio_io *io, const struct magi_req *req);
void magi_testio_cancel(struct testio_io *io, uint64_t token);
/* Tries all whose time has come. */
void magi_testio_round(struct testio_io *io);
int magi_testio_hand_out(struct testio_io *io, struct magi_rec *recs, int max);
uint64_t magi_testio_delay(struct testio_io *io);
/* Gather and scatter for operations that move bytes, on the caller's memory. */
uint32_t magi_testio_length(const struct magi_req *req);
uint32_t magi_testio_gather(const struct magi_req *req, uint32_t offset, void *to, uint32_t n);

#endif
