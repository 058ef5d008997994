/* SPDX-License-Identifier: MIT */
/* fd.h - the runtime's table of open files: what a mag_fd names.
 *
 * Who:     any worker.
 * Always:  an operation holds a reference from its submission to its terminal completion; the file is closed when it is
 *          closing and the last reference goes, by whoever drops that one. A generation is never 0.
 *          One receive and one send are under way at a time; others queue in `turn`, in order.
 * Pairs:   [fd] each change of `word` is one read-modify-write (acquire, release): who sees the reference count reach 0
 *          sees all that the others did with the file
 *          [fdchunk] a chunk of records is stored (release) before an index into it exists -> loaded (acquire)
 *          [fdtoken] an operation that has a turn tells its token (release) -> who closes reads it (acquire), and knows
 *          the table that the token names a slot of. It is 0 again before the turn's end changes `word`: who sees a
 *          turn taken in `word` sees that one's token or 0
 * Not:     a lock per operation; direct descriptors of io_uring: they belong to one ring, and tasks move. */
#ifndef MAGI_IO_FD_H
#define MAGI_IO_FD_H

#include <magpie/fd.h>
#include <magpie/impl/waitq.h>

#include "base/lock.h"

enum {
	MAGI_FD_CHUNK = 256,  /* records a chunk */
	MAGI_FD_CHUNKS = 4096 /* over a million files */
};

enum magi_fd_word {                        /* low half of the word; the generation is the high half */
	MAGI_FD_REF = 1,                   /* 24 bits: references */
	MAGI_FD_REFS = (1 << 24) - 1,
	MAGI_FD_READING = 1 << 24,         /* a receive is under way */
	MAGI_FD_WRITING = 1 << 25,         /* a send is under way */
	MAGI_FD_READERS = 1 << 26,         /* somebody waits for a turn to receive; set and cleared under that queue's lock */
	MAGI_FD_WRITERS = 1 << 27,         /* the same to send */
	MAGI_FD_CLOSING = 1 << 28,
	MAGI_FD_OPEN = 1 << 29             /* the record is in use */
};

struct magi_fd {
	uint64_t word;  /* atomic */
	uint64_t rings; /* atomic: the workers on whose rings it was used */
	uint64_t token[2]; /* atomic: of the receive and of the send under way, 0: none, or not told */
	int raw;
	uint32_t index;
	const mag_site *made;       /* where it was opened; NULL: nobody knows, or debug mode is off */
	uint32_t next_free;         /* under the table's lock */
	union {
		mag_frame *closer;    /* who waits for the close; set under a reference of its own */
		struct magi_fd *next; /* among accepted ones that nobody has been given yet */
	};
	struct magi_waitq turn[2];  /* tasks that wait to receive, to send */
};

struct magi_fds {
	magi_lock lock;
	uint32_t free;  /* index + 1 of the first free record */
	uint32_t fresh; /* records made so far */
	uint32_t open;  /* atomic [stat] */
	bool (*gone)(struct magi_waitq *q, mag_frame *f, mag_frame **granted); /* for the records' queues */
	struct magi_fd *chunk[MAGI_FD_CHUNKS]; /* atomic */
};

/* What magi_fd_begin answers besides errors. */
enum { MAGI_FD_GO = 0, MAGI_FD_WAIT = 1 };

/* Makes a record for raw: 0 and *fd, or -ENOMEM, -EMFILE. */
int magi_fds_add(struct magi_fds *t, int raw, mag_fd *fd);

/* Where its file was opened: the one who has opened it says so, before others know of it. */
void magi_fd_made(struct magi_fds *t, mag_fd fd, const mag_site *site);

/* The record, or NULL when the name is stale. It stays readable in any case: records are never freed while tasks run. */
struct magi_fd *magi_fds_find(struct magi_fds *t, mag_fd fd);

/* Takes a reference; direction: 0, MAGI_FD_READING or MAGI_FD_WRITING.
 * MAGI_FD_GO; MAGI_FD_WAIT: that direction is taken, nothing was; MAG_ECLOSED. */
int magi_fd_begin(struct magi_fd *r, mag_fd fd, uint32_t direction, uint32_t worker);

/* For magi_req.file; the caller holds a reference. */
uint64_t magi_fd_identity(const struct magi_fd *r);

/* The flag that says that somebody waits for a turn in that direction. */
static inline uint32_t magi_fd_queued(uint32_t direction)
{
	return direction << 2;
}

/* Who has a turn tells the token of his operation, so that who closes the file finds it at once. */
void magi_fd_tell(struct magi_fd *r, uint32_t direction, uint64_t token);

/* After magi_fd_close: the tokens of all that is under way: how many; or -1: not all of them are known. */
int magi_fd_tokens(const struct magi_fd *r, uint64_t token[2]);

/* Drops it. True: it was the last one of a closing file: the caller now closes r->raw and then frees the record.
 * *queued: somebody waits for a turn in that direction. */
bool magi_fd_end(struct magi_fd *r, uint32_t direction, bool *queued);

/* Undoes a begin, when no turn is to be passed on: another reference keeps the file. */
void magi_fd_unbegin(struct magi_fd *r, uint32_t direction);

/* Sets or clears the flag; that queue's lock is held. */
void magi_fd_set_queued(struct magi_fd *r, uint32_t direction, bool queued);

/* Whether the file is being closed. */
bool magi_fd_closing(const struct magi_fd *r);
/* Whether it is open under that name, and nobody closes it. */
bool magi_fd_is_open(const struct magi_fd *r, mag_fd fd);

/* Sets CLOSING for `closer`. 0: no references, the caller closes; 1: others still use it; MAG_ECLOSED. */
int magi_fd_close(struct magi_fd *r, mag_fd fd, mag_frame *closer);

/* Makes the file closing if nothing uses it and it is open under that name: then it is the caller's alone. */
bool magi_fd_unused(struct magi_fd *r, mag_fd fd);

/* Frees the record; the raw descriptor is closed, or somebody else's. */
void magi_fds_drop(struct magi_fds *t, struct magi_fd *r);

/* Calls fn for each that is open, with its descriptor, and where it was opened. Nothing runs any more. */
void magi_fds_each_open(struct magi_fds *t, void (*fn)(void *ctx, int raw, const mag_site *made), void *ctx);

/* Closes what is open and frees the table; returns how many there were. Nothing runs any more. */
uint32_t magi_fds_fini(struct magi_fds *t);

#endif
