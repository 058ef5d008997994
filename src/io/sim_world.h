/* SPDX-License-Identifier: MIT */
/* sim_world.h - the sim backend's insides, as the files sim*.c share them.
 *
 * sim.c the contract; sim_world.c clock, sleep and descriptors; sim_object.c what descriptors name;
 * sim_fake.c operations on those; sim_real.c operations that the system does; sim_op.c an operation's life.
 *
 * Always:  everything is under the world's lock, but for `now` and an io's `pending` (its owner's).
 *          An operation is on one list: its io's `work` or `real`, or an object's `waiters`; or on none, when it is
 *          over and only its records are still to be handed out. */
#ifndef MAGI_IO_SIM_WORLD_H
#define MAGI_IO_SIM_WORLD_H

#include <pthread.h>
#include <sys/stat.h>

#include "base/random.h"
#include "io/sim.h"

#define SIM_WAIT INT32_MIN /* in place of a result: it would block */

enum {
	SIM_BACKLOG = 16,        /* connections that wait at a listener */
	SIM_BUFFERS = 16,        /* receive buffers an io takes: few, so that they run out */
	SIM_HUNGRY = 4,
	SIM_HASH = 256,
	SIM_BOUNCE_MAX = 1 << 18 /* longer reads fall short */
};

enum sim_kind { SIM_SOCKET, SIM_STREAM, SIM_LISTENER, SIM_FILE };

struct sim_op;
struct sim_io;

struct sim_list {
	struct sim_op *first, *last;
};

/* One direction of a stream. Freed when both its ends are gone. */
struct sim_channel {
	char *data; /* a ring */
	uint32_t capacity, head, count;
	bool ended;   /* nothing more will be written */
	bool stopped; /* nothing more will be read */
	bool reset;
	struct sim_object *reader, *writer; /* NULL: gone */
};

struct sim_object {
	enum sim_kind kind;
	uint32_t refs; /* descriptors and operations under way */
	struct magi_world *world;
	struct sim_list waiters;
	struct sim_channel *in, *out; /* of a stream; a pipe's ends have one */
	uint32_t port;                   /* of a listener */
	uint32_t queued;                 /* connections that wait there */
	struct sim_object *queue[SIM_BACKLOG];
	char *bytes;                     /* of a file */
	uint64_t size, position;
};

struct sim_op {
	struct magi_req req;
	struct sim_io *io;
	struct sim_object *object; /* NULL: not begun, or the system's */
	struct sim_list *list;
	struct sim_op *prev, *next;
	struct sim_op *hash_next;
	uint64_t round; /* not tried before */
	uint64_t told;  /* not before the round of its last record */
	char *bounce;   /* what it has read, until the terminal record */
	uint32_t bounced;
	struct msghdr msg;      /* what RECVMSG found out */
	bool begun, cancelled, over;
	bool connecting; /* the system has begun it */
};

/* A record to be handed out. */
struct sim_out {
	struct sim_out *next;
	struct sim_op *op;
	struct magi_rec rec;
	uint64_t round; /* not before */
};

struct sim_io {
	struct magi_world *world;
	struct sim_io *next;
	struct magi_random random;
	pthread_cond_t stir;
	uint64_t round; /* of looking at the operations: at least one a poll */
	struct sim_list work, real;
	struct sim_op *hash[SIM_HASH];
	struct sim_out *outs, **outs_end;
	void *buffers[SIM_BUFFERS];
	uint32_t buffer_count;
	uint32_t pending; /* owner only */
	bool wanted;      /* a request has asked for a buffer */
	bool woken;
	bool blocked;
	uint32_t stirred; /* simulated: counts stirs, and is slept on */
	uint32_t calm;    /* how often in a row the system's operations were tried in vain */
	uint64_t deadline;
};

struct magi_world {
	pthread_mutex_t lock;
	uint64_t now; /* atomic; written under the lock */
	struct magi_random random;
	enum magi_world_mode mode;
	bool automatic;
	uint32_t holds;
	struct sim_io *ios;
	struct sim_object **fds;
	uint32_t fd_slots, fd_count, fd_limit;
	uint32_t stream_bytes;
};

/* Cleared memory; the test ends when there is none: faults are planned for the code under test, not for this. */
void *magi_world_new(size_t size);

/* sim_world.c, under the lock */
int magi_world_fd_add(struct magi_world *world, struct sim_object *object);
struct sim_object *magi_world_fd_find(struct magi_world *world, int fd);
int magi_world_fd_close(struct magi_world *world, int fd);
struct sim_object *magi_world_find_port(struct magi_world *world, uint32_t port);
void magi_world_stir(struct sim_io *io);
/* Moves the clock if it may go by itself and all that are open wait. */
void magi_world_rest(struct magi_world *world);
/* Waits for a stir, or moves the clock when all wait. */
void magi_world_sleep(struct sim_io *io, uint64_t deadline);

/* sim_object.c */
struct sim_object *magi_world_object(struct magi_world *world, enum sim_kind kind);
/* A direction from writer to reader. */
void magi_world_channel(struct sim_object *reader, struct sim_object *writer);
void magi_world_object_drop(struct sim_object *object);
/* Something about it is different: all that wait there are tried again. */
void magi_world_changed(struct sim_object *object);
uint32_t magi_world_channel_read(struct sim_channel *c, void *to, uint32_t n, bool peek);
uint32_t magi_world_channel_write(struct sim_channel *c, const void *from, uint32_t n);

/* Where an operation's bytes are kept until its terminal record; NULL when memory is out. */
char *magi_world_bounce(struct sim_op *op, uint32_t n);
/* Now and then less than n, in completion mode. */
uint32_t magi_world_shorten(struct sim_io *io, uint32_t n);

/* sim_fake.c, sim_real.c: try once; the result or SIM_WAIT. */
int magi_world_fake(struct sim_op *op, struct sim_object **where, struct magi_rec *rec);
int magi_world_real(struct sim_op *op, struct magi_rec *rec);
bool magi_world_is_real(const struct magi_req *req);

/* sim_op.c */
void magi_world_list_add(struct sim_list *list, struct sim_op *op);
void magi_world_list_remove(struct sim_op *op);
void magi_world_submit(struct sim_io *io, const struct magi_req *req);
void magi_world_cancel(struct sim_io *io, uint64_t token);
/* Tries all whose time has come. */
void magi_world_round(struct sim_io *io);
int magi_world_hand_out(struct sim_io *io, struct magi_rec *recs, int max);
uint64_t magi_world_delay(struct sim_io *io);
/* Gather and scatter for operations that move bytes, on the caller's memory. */
uint32_t magi_world_length(const struct magi_req *req);
uint32_t magi_world_gather(const struct magi_req *req, uint32_t offset, void *to, uint32_t n);

#endif
