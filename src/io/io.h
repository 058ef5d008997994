/* SPDX-License-Identifier: MIT */
/* io.h - the backend contract: how a worker talks to the kernel, or to something that plays the kernel.
 *
 * Who:     every function but wake is called by the one thread that owns the io (open, too: rings are enabled by their
 *          own worker). wake: any thread.
 * Always:  a request that submit took gets records until one without MAGI_REC_MORE, its terminal one; until then its
 *          buffers belong to the backend. Cancel only asks: the terminal record still comes, with whatever happened first.
 *          A token is the caller's; the backend compares tokens and never follows them.
 *          Backends never call the scheduler: poll returns records.
 *          Whether a request that waits keeps its file open is the backend's affair: who closes a descriptor under one
 *          must cancel it.
 * Errors:  0 or more, or -errno. submit never fails for want of room: what does not fit in the queue is kept in order.
 *          -ECANCELED, or -EINTR: cancelled. The latter, too, when the process was stopped and goes on. */
#ifndef MAGI_IO_IO_H
#define MAGI_IO_IO_H

#include <magpie/impl/api.h>
#include <sys/types.h>

struct magi_io;

enum magi_io_code {
	MAGI_IO_NOP,
	MAGI_IO_ACCEPT,   /* fd; addr: struct sockaddr * or NULL, addr2: socklen_t * or NULL; op_flags: SOCK_…; multishot ok */
	MAGI_IO_CONNECT,  /* fd; addr: const struct sockaddr *, len: its length */
	MAGI_IO_RECV,     /* fd; addr, len, op_flags: MSG_…; or MAGI_REQ_BUFFER; multishot only with MAGI_REQ_BUFFER */
	MAGI_IO_SEND,     /* fd; addr, len, op_flags: MSG_… (MSG_NOSIGNAL is added) */
	MAGI_IO_RECVMSG,  /* fd; addr: struct msghdr *, op_flags */
	MAGI_IO_SENDMSG,  /* fd; addr: const struct msghdr *, op_flags */
	MAGI_IO_READ,     /* fd; addr, len, offset (-1: the file position) */
	MAGI_IO_WRITE,    /* fd; addr, len, offset */
	MAGI_IO_READV,    /* fd; addr: const struct iovec *, len: their number, offset */
	MAGI_IO_WRITEV,   /* the same */
	MAGI_IO_OPEN,     /* fd: directory or AT_FDCWD; addr: path; addr2: struct open_how * */
	MAGI_IO_CLOSE,    /* fd */
	MAGI_IO_FSYNC,    /* fd; op_flags: 1 for fdatasync */
	MAGI_IO_STAT,     /* fd: directory; addr: path ("" for fd itself); op_flags: AT_…; len: mask; addr2: struct statx * */
	MAGI_IO_POLL,     /* fd; op_flags: POLLIN …; one-shot; result: the events */
	MAGI_IO_SHUTDOWN, /* fd; op_flags: SHUT_… */
	MAGI_IO_UNLINK,   /* fd: directory; addr: path; op_flags: AT_REMOVEDIR */
	MAGI_IO_MKDIR,    /* fd: directory; addr: path; op_flags: mode */
	MAGI_IO_RENAME,   /* fd: directory; addr: old path; len: new directory (as uint32_t); addr2: new path */
	MAGI_IO_CODES
};

enum magi_req_flag {
	MAGI_REQ_MULTISHOT = 1, /* many records from one request; may end at any time, with or without an error */
	MAGI_REQ_BUFFER = 2     /* RECV: into one of the io's buffers, which the record then gives away */
};

struct magi_req {
	uint8_t code;
	uint8_t flags;
	uint16_t unused;
	int fd;
	void *addr;
	void *addr2;
	uint64_t offset;
	uint32_t len;
	uint32_t op_flags;
	uint64_t token;
	uint64_t file; /* which open file fd is: no two that had the same number share it; 0: the caller does not know */
};

enum magi_rec_flag {
	MAGI_REC_MORE = 1,     /* not the terminal record */
	MAGI_REC_NONEMPTY = 2, /* the socket has more to read */
	MAGI_REC_BUFFER = 4    /* `buffer` is the caller's now */
};

struct magi_rec {
	uint64_t token;
	int32_t res;
	uint32_t flags;
	void *buffer;
};

enum { MAGI_IO_LATER = INT32_MIN };

#define MAGI_TOKEN_MAX (UINT64_MAX - 0x10000) /* tokens above are the backends' own */

enum { MAGI_BUFFER_BYTES = 8192 }; /* of each of the io's receive buffers; picked, not measured */

struct magi_io_params {
	uint32_t entries;    /* of the submission queue wanted; 0: the backend's default */
	void *world;         /* what several io of one runtime share (sim backend); NULL for real ones */
	char *why;           /* where to say, in words, why open failed; may be NULL */
	size_t why_size;
	bool dozes; /* the owner will call `doze` */
	/* Has some thread call fn(arg), which may block: 0, or -errno and it is not called. For a backend whose kernel does
	 * not do such things by itself. NULL: the caller has none, and can bear that polls block. */
	int (*punt)(void *ctx, int64_t (*fn)(void *arg), void *arg);
	void *punt_ctx;
};

struct magi_io_ops {
	const char *name;
	/* Makes the calling thread the owner. -errno; MAG_EBACKEND when this backend cannot run here. */
	int (*open)(struct magi_io **io, const struct magi_io_params *params);
	void (*submit)(struct magi_io *io, const struct magi_req *req);
	/* Does the request here and now: its result; or MAGI_IO_LATER, and it must be submitted. NULL: it has no way. */
	int (*attempt)(struct magi_io *io, const struct magi_req *req);
	/* Asks for the end of the request with this token; nothing happens when there is none. False: there is no memory
	 * to ask with now, and it must be asked again, after a poll: only the caller can tell which requests are left. */
	bool (*cancel)(struct magi_io *io, uint64_t token);
	/* Hands over what was submitted and gathers up to `max` records. deadline, in ns of `now`: 0 never blocks,
	 * UINT64_MAX waits for ever. Returns how many; 0 after a wake, the deadline or a signal. */
	int (*poll)(struct magi_io *io, uint64_t deadline, struct magi_rec *recs, int max);
	/* For an owner who waits elsewhere, with other things: all is handed over, and a descriptor is returned that is
	 * readable (level) from when a poll would find something, or a wake has come, until the next poll, which ends this.
	 * *until: lowered to when to poll at the latest. -EAGAIN: there is something already. NULL: it has no such thing. */
	int (*doze)(struct magi_io *io, uint64_t *until);
	/* Any thread: the current or next blocking poll returns. `from`: the caller's own io, or NULL. */
	void (*wake)(struct magi_io *io, struct magi_io *from);
	/* Gives the io a receive buffer of MAGI_BUFFER_BYTES; false: it has enough (the caller keeps it). */
	bool (*give)(struct magi_io *io, void *buffer);
	/* Whether receive buffers run low: the owner then gives some. */
	bool (*hungry)(const struct magi_io *io);
	/* Whether a poll that does not block could do anything (something to hand over, or to gather). */
	bool (*due)(struct magi_io *io);
	/* Monotonic time in ns, as deadlines are counted. */
	uint64_t (*now)(struct magi_io *io);
	/* Requests that have not had their terminal record. */
	uint32_t (*pending)(const struct magi_io *io);
	/* Everything must have had its terminal record. Returns the buffers that were given, through `take`. */
	void (*close)(struct magi_io *io, void (*take)(void *buffer, void *ctx), void *ctx);
};

extern const struct magi_io_ops magi_uring_ops;
extern const struct magi_io_ops magi_epoll_ops;
extern const struct magi_io_ops magi_sim_ops;

#endif
