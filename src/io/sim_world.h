/* SPDX-License-Identifier: MIT */
/* sim_world.h - the sim backend's insides, as the files sim*.c share them.
 *
 * sim.c the contract; sim_op.c an operation's life; sim_memory.c the caller's memory; sim_world.c clock and sleep;
 * sim_event.c what comes later; sim_fd.c descriptors; sim_object.c what they name; sim_fake.c operations on those, by
 * kind: sim_stream.c (its directions: sim_channel.c), sim_datagram.c, sim_file.c (its tree: sim_tree.c, sim_path.c);
 * sim_addr.c who has which address; sim_sys.c, sim_name.c system calls; sim_weather.c what befalls the network;
 * sim_fault.c what was planned to go wrong; sim_real.c operations that the system does.
 *
 * Always:  everything is between magi_world_enter and _leave, but for `now` and an io's `pending` (its owner's).
 *          An operation is on one list: its io's `work` or `real`, or an object's `waiters`; or on none, when it is
 *          over and only its records are still to be handed out.
 *          Chances are drawn in hosted mode alone: without a host, or in tests of the other modes, none happens. */
#ifndef MAGI_IO_SIM_WORLD_H
#define MAGI_IO_SIM_WORLD_H

#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/random.h"
#include "io/sim.h"
#include "io/sim_tree.h"

#define SIM_WAIT INT32_MIN /* in place of a result: it would block */

enum {
	SIM_BACKLOG = 16,         /* connections that wait at a listener, unless it says */
	SIM_BUFFERS = 16,         /* receive buffers an io takes: few, so that they run out */
	SIM_HUNGRY = 4,
	SIM_HASH = 64,
	SIM_BOUNCE_MAX = 1 << 18, /* longer reads fall short */
	SIM_CUTS = 4              /* parts of the network that are cut at a time */
};

/* What MAGI_NOTE_NET and MAGI_NOTE_DISK begin with. */
enum sim_note {
	SIM_NET_CUT,       /* all or two hosts; for how long */
	SIM_NET_PARTED,    /* on or off */
	SIM_NET_CONNECTED, /* the client's local port; the server's */
	SIM_NET_BROKEN,    /* a descriptor */
	SIM_NET_LOST,      /* a datagram's bytes */
	SIM_NET_TWICE,     /* a datagram's bytes */
	SIM_NET_LATE,      /* a datagram's bytes */
	SIM_NET_NAME,      /* whether it was resolved */
	SIM_DISK_FAULT,    /* the code of the operation; its error */
	SIM_DISK_LOST      /* a node's number; bytes it has now */
};

enum sim_kind { SIM_SOCKET, SIM_STREAM, SIM_LISTENER, SIM_DATAGRAM, SIM_FILE };

struct sim_op;
struct sim_io;

struct sim_list {
	struct sim_op *first, *last;
};

struct sim_addr {
	struct sockaddr_storage s;
	socklen_t len;
};

/* Bytes that are still under way. */
struct sim_segment {
	struct sim_segment *next;
	uint64_t at; /* when they are there */
	uint32_t bytes;
};

/* One direction of a stream. Freed when both its ends are gone. */
struct sim_channel {
	char *data; /* a ring */
	uint32_t capacity, head, count;
	uint32_t there; /* of `count`: can be read */
	struct sim_segment *first, *last;
	uint64_t latency;
	uint64_t last_at;  /* nothing overtakes */
	uint64_t ended_at; /* when the end is seen */
	uint32_t rate;     /* bytes a ms, 0: any */
	bool remote;       /* goes through the network */
	bool ended;        /* nothing more will be written */
	bool stopped;      /* nothing more will be read */
	bool reset;
	struct sim_object *reader, *writer; /* NULL: gone */
};

struct sim_packet {
	struct sim_packet *next;
	uint64_t at;
	struct sim_addr from;
	uint32_t len;
	char bytes[];
};

struct sim_object {
	enum sim_kind kind;
	uint32_t refs;   /* descriptors, operations under way */
	uint32_t events; /* that come to it */
	struct magi_world *world;
	struct sim_list waiters;
	uint64_t alarm; /* when the next event comes to it, or UINT64_MAX */
	int family, type, flags;
	int error;              /* of the socket, to be told once */
	bool reuse_addr, reuse_port, v6_only, alone; /* alone: not found by address */
	struct sim_addr local, peer;
	struct sim_object *bound_next; /* among those with addresses */
	struct sim_channel *in, *out;  /* of a stream; a pipe's ends have one */
	uint32_t backlog, queued;      /* connections that wait at a listener */
	struct sim_object *queue, *queue_last, *queue_next;
	struct sim_object *mate; /* a datagram pair's other end */
	struct sim_packet *packets;
	uint32_t packet_bytes;
	struct sim_node *node;  /* of a file; of a Unix socket with a path */
	uint64_t position;
};

struct sim_op {
	struct magi_req req;
	struct sim_io *io;
	struct sim_object *object; /* NULL: not begun, or the system's */
	struct sim_list *list;
	struct sim_op *prev, *next;
	struct sim_op *hash_next;
	uint64_t at;      /* not tried before: a round; hosted: a time */
	uint64_t told;    /* not before that of its last record */
	uint64_t later;   /* how long its next record takes besides */
	uint64_t started; /* connect: its first try */
	char *bounce;     /* what it has read, until the terminal record */
	uint32_t bounced;
	uint32_t done;    /* bytes moved by earlier tries, with MSG_WAITALL */
	uint32_t tries;   /* of connect */
	struct msghdr msg;      /* what RECVMSG found out */
	struct sim_addr name;   /* and from whom */
	bool begun, cancelled, over;
	bool real;       /* the system does it */
	bool spun;       /* the disk has turned */
	bool waiting;    /* on an object's list */
	bool connecting; /* the system has begun it; hosted: it is under way */
};

/* A record to be handed out. */
struct sim_out {
	struct sim_out *next;
	struct sim_op *op;
	struct magi_rec rec;
	uint64_t at; /* not before */
};

struct sim_io {
	struct magi_world *world;
	struct sim_io *next;
	struct magi_random random;
	pthread_cond_t stir;
	uint32_t stirred; /* hosted: the word to sleep on */
	uint64_t at;      /* rounds of looking at the operations: at least one a poll; hosted: the time of the last */
	uint64_t next_at; /* hosted: nothing of its own happens before */
	uint64_t kept;    /* hosted: requests do not begin before, for want of room in the queue */
	struct sim_list work, real;
	struct sim_op *hash[SIM_HASH];
	struct sim_out *outs, **outs_end;
	void *buffers[SIM_BUFFERS];
	uint32_t buffer_count;
	uint32_t pending; /* owner only */
	uint32_t waits;   /* of its operations: on objects' lists */
	bool wanted;      /* a request has asked for a buffer */
	bool woken;
	bool blocked;
	uint32_t calm;    /* how often in a row the system's operations were tried in vain */
	uint64_t deadline;
	uint64_t until;   /* hosted: it sleeps no longer, while blocked */
};

struct sim_event {
	uint64_t at, order;
	struct sim_object *object;
};

/* A part of the network through which nothing gets, for a time. */
struct sim_cut {
	uint64_t from, until;
	bool all;
	struct sim_addr a, b; /* not all: between these hosts */
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
	struct sim_object *bound; /* newest first */
	uint32_t next_port, next_name;
	struct sim_event *events; /* a heap */
	uint32_t event_count, event_room;
	uint64_t event_order;
	struct sim_cut cuts[SIM_CUTS];
	bool parted;
	uint64_t parted_at;
	struct sim_tree tree;
};

/* Cleared memory; the test ends when there is none: faults are planned for the code under test, not for this. */
void *magi_world_new(size_t size);

static inline bool sim_hosted(const struct magi_world *world)
{
	return world->mode == MAGI_SIM_HOSTED;
}

/* Draws a chance; never but in hosted mode. */
static inline bool sim_chance(const struct magi_world *world, enum magi_chance what)
{
	return sim_hosted(world) && magi_chance(what);
}

/* sim_world.c */
void magi_world_enter(struct magi_world *world);
void magi_world_leave(struct magi_world *world);
/* Below n. */
uint32_t magi_world_random(struct magi_world *world, uint32_t n);
/* Between two times, in ns. */
uint64_t magi_world_between(struct magi_world *world, uint64_t from, uint64_t to);
void magi_world_stir(struct sim_io *io);
/* Moves the clock if it may go by itself and all that are open wait. */
void magi_world_rest(struct magi_world *world);
/* Waits for a stir, or moves the clock when all wait. */
void magi_world_sleep(struct sim_io *io, uint64_t deadline);

/* sim.c: it is closed. */
void magi_world_forget_io(struct sim_io *io);

/* sim_event.c: the object changes at that time, if not before. */
void magi_world_alarm(struct sim_object *object, uint64_t at);
/* Does what is due. */
void magi_world_fire(struct magi_world *world);
uint64_t magi_world_next_event(const struct magi_world *world);
void magi_world_events_drop(struct magi_world *world);

/* sim_fd.c */
int magi_world_fd_add(struct magi_world *world, struct sim_object *object);
struct sim_object *magi_world_fd_find(struct magi_world *world, int fd);
int magi_world_fd_close(struct magi_world *world, int fd);
/* For objects that nothing refers to yet: they go when there is no room. */
int magi_world_fd_new(struct sim_object *object);
int magi_world_fd_pair(struct sim_object *a, struct sim_object *b, int fds[2]);
/* 0, -EMFILE or -ENFILE: whether n more can be made now. */
int magi_world_fd_room(struct magi_world *world, uint32_t n);

/* sim_object.c */
struct sim_object *magi_world_object(struct magi_world *world, enum sim_kind kind);
void magi_world_object_drop(struct sim_object *object);
/* If nothing refers to it any more. */
void magi_world_object_free(struct sim_object *object);
/* Something about it is different: all that wait there are tried again. */
void magi_world_changed(struct sim_object *object);
/* What it is, in a word. */
const char *magi_world_kind(const struct sim_object *object);

/* sim_channel.c */
/* A direction from writer to reader. */
void magi_world_channel(struct sim_object *reader, struct sim_object *writer);
uint32_t magi_world_channel_read(struct sim_channel *c, void *to, uint32_t n, bool peek);
uint32_t magi_world_channel_write(struct sim_channel *c, const void *from, uint32_t n);
/* Nothing more will be written. */
void magi_world_channel_end(struct sim_channel *c);
/* Takes in what has come by now; false: nothing is there to be read, and the end is not seen either. */
bool magi_world_channel_look(struct sim_channel *c);
/* Whether the end is seen: nothing more will come. */
bool magi_world_channel_ended(const struct sim_channel *c);
/* An end of it is gone. */
void magi_world_channel_leave(struct sim_object *object);
/* The connection breaks, in both directions; what was under way is lost. */
void magi_world_break(struct sim_object *stream);

/* sim_addr.c */
void magi_world_addr_set(struct sim_addr *addr, const void *bytes, socklen_t len);
/* Copies it out as the kernel does: cut to the room there is. */
void magi_world_addr_get(const struct sim_addr *addr, void *to, socklen_t *len);
bool magi_world_addr_is_ip(const struct sim_addr *addr);
bool magi_world_addr_same_host(const struct sim_addr *a, const struct sim_addr *b);
/* As an IPv6 socket sees an IPv4 address. */
void magi_world_addr_as_v6(struct sim_addr *addr);
/* 0: it has none. */
uint32_t magi_world_addr_port(const struct sim_addr *addr);
/* Where a datagram comes from that a socket without a host of its own sends. */
struct sim_addr magi_world_addr_source(const struct sim_addr *local, const struct sim_addr *towards);
/* Loopback, at that port. */
void magi_world_addr_loopback(struct sim_addr *addr, int family, uint32_t port);
int magi_world_bind(struct sim_object *object, const struct sockaddr *addr, socklen_t len);
/* Gives it an address if it has none: a socket that is to send; or to listen, then there is no `towards`. */
int magi_world_autobind(struct sim_object *object, const struct sim_addr *towards);
void magi_world_unbind(struct sim_object *object);
/* Who is reached there: a listener, or a datagram socket; 0 or -errno. */
int magi_world_find(struct magi_world *world, const struct sockaddr *addr, socklen_t len, int type,
		    struct sim_object **found);
/* "127.0.0.1:80" */
int magi_world_addr_text(const struct sim_addr *addr, char *text, size_t size);

/* sim_datagram.c */
int magi_world_datagram_connect(struct sim_object *object, const struct sockaddr *addr, socklen_t len);
/* Whether there is one to receive now. */
bool magi_world_datagram_ready(struct sim_object *object);

/* sim_weather.c: whether nothing gets from one to the other now, and until when. */
bool magi_world_cut(const struct magi_world *world, const struct sim_addr *a, const struct sim_addr *b, uint64_t at,
		    uint64_t *until);
/* Chance may cut these two, or all, for a time. */
void magi_world_draw_cut(struct magi_world *world, const struct sim_addr *a, const struct sim_addr *b);

/* Where an operation's bytes are kept until its terminal record. */
char *magi_world_bounce(struct sim_op *op, uint32_t n);
/* Now and then less than n. */
uint32_t magi_world_shorten(struct sim_io *io, uint32_t n);

/* sim_fault.c: faults in turn, of hosted worlds alone. -errno: the operation does not begin. */
int magi_world_fault_begin(const struct sim_op *op);
/* Its result may become an error, or late; true: a multishot ends. */
bool magi_world_fault_record(struct sim_op *op, struct magi_rec *rec);
/* 0, or enum magi_fault_how. */
int magi_world_fault_cancel(const struct sim_op *op);
/* Whether a read or write moves one byte only. */
bool magi_world_fault_transfer(const struct magi_world *world);

/* Try once; the result or SIM_WAIT, and what to wait for. */
int magi_world_fake(struct sim_op *op, struct sim_object **where, struct magi_rec *rec);
int magi_world_stream(struct sim_op *op, struct sim_object **where, struct magi_rec *rec);
int magi_world_datagram(struct sim_op *op, struct sim_object **where, struct magi_rec *rec);
int magi_world_file_op(struct sim_op *op);
int magi_world_path_op(struct sim_op *op);
int magi_world_real(struct sim_op *op, struct magi_rec *rec);
bool magi_world_is_real(const struct sim_op *op);
/* Hosted: names a path, and needs no descriptor. */
bool magi_world_is_path(const struct magi_req *req);
/* POLLIN … that are there. */
uint32_t magi_world_events(struct sim_object *object);
/* STAT, into the operation's bounce, or anywhere. */
void magi_world_status(const struct sim_object *object, struct statx *status);
/* Data for a stream, as far as there is room: bytes, or -errno, or SIM_WAIT. */
int magi_world_stream_write(struct sim_object *stream, const void *bytes, uint32_t n);
/* sim_file.c: 0 or more, or -errno. */
int64_t magi_world_file_read(struct sim_object *file, void *to, uint32_t n, uint64_t at);
/* Opens a path in a directory (NULL: the root): a descriptor. */
int magi_world_file_open(struct magi_world *world, struct sim_node *dir, const char *path, uint64_t flags,
			 uint32_t mode, uint64_t resolve);

/* sim_name.c */
int magi_world_getaddrinfo(struct magi_world *world, const char *name, const char *service,
			   const struct addrinfo *hints, struct addrinfo **list);
void magi_world_freeaddrinfo(struct magi_world *world, struct addrinfo *list);

/* sim_op.c */
void magi_world_list_add(struct sim_list *list, struct sim_op *op);
void magi_world_list_remove(struct sim_op *op);
void magi_world_submit(struct sim_io *io, const struct magi_req *req);
void magi_world_cancel(struct sim_io *io, uint64_t token);
/* Closes an io that has operations under way; their memory may be gone. */
void magi_world_abandon(struct sim_io *io);
/* Tries all whose time has come. */
void magi_world_round(struct sim_io *io);
int magi_world_hand_out(struct sim_io *io, struct magi_rec *recs, int max);
uint64_t magi_world_delay(struct sim_io *io);

/* sim_memory.c: gather and scatter for operations that move bytes, on the caller's memory. */
uint32_t magi_world_length(const struct magi_req *req);
uint32_t magi_world_gather(const struct magi_req *req, uint32_t offset, void *to, uint32_t n);
/* It will be written: garbage until then. */
void magi_world_garble(const struct magi_req *req);
/* The terminal record is about to be handed out: the caller's memory gets what was read. */
void magi_world_scatter(const struct sim_op *op, int res);

#endif
