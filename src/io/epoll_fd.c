/* SPDX-License-Identifier: MIT */
/* epoll_fd.c - what is known of each descriptor: who waits, what it is registered for, whether a try is worth while.
 *
 * A registration is made when an operation would block, for that side only, and stays: the next operation that would
 * block need not ask again, since what comes later makes a new edge. It goes when events come that nobody has asked
 * for: the task has moved to another worker, which has a registration of its own.
 *
 * Who:     the owner.
 * Always:  a table entry is about a number. Which open file stands behind it says magi_req.file, a name that the runtime
 *          gives with each adoption; where it says 0, nothing is believed and each wait asks the kernel anew.
 *          A registration can outlive its number, in a duplicate: its events name an old generation, and come once
 *          an edge.
 * Not:     EPOLLONESHOT: it takes one more call for each request. Level-triggered: what nobody reads would spin, and
 *          what a duplicate keeps alive could not be stopped. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/epoll.h"

enum { FIRST_CHUNKS = 16 };

#define READ_EVENTS ((uint32_t)(EPOLLIN | EPOLLRDHUP | EPOLLPRI))
#define END_EVENTS ((uint32_t)(EPOLLERR | EPOLLHUP)) /* come unasked */

int magi_epoll_fds_init(struct magi_epoll *u)
{
	u->chunks = magi_zalloc(FIRST_CHUNKS * sizeof(struct magi_epoll_fd *));
	u->chunk_count = FIRST_CHUNKS;
	return u->chunks ? 0 : -ENOMEM;
}

void magi_epoll_fds_fini(struct magi_epoll *u)
{
	for (uint32_t i = 0; i < u->chunk_count; i++)
		magi_free(u->chunks[i]);
	magi_free(u->chunks);
}

static int grow_directory(struct magi_epoll *u, uint32_t index)
{
	uint32_t count = u->chunk_count;
	struct magi_epoll_fd **fresh;

	while (count <= index)
		count *= 2;
	fresh = magi_realloc(u->chunks, count * sizeof(struct magi_epoll_fd *));
	if (!fresh)
		return -ENOMEM;
	memset(fresh + u->chunk_count, 0, (count - u->chunk_count) * sizeof(struct magi_epoll_fd *));
	u->chunks = fresh;
	u->chunk_count = count;
	return 0;
}

static int add_chunk(struct magi_epoll *u, int fd)
{
	uint32_t index = (uint32_t)fd / MAGI_EPOLL_CHUNK;
	struct magi_epoll_fd *chunk;
	int rc = 0;

	if (fd < 0 || fcntl(fd, F_GETFD) < 0)
		return -EBADF; /* a wild number must not cost memory */
	if (index >= u->chunk_count)
		rc = grow_directory(u, index);
	chunk = rc < 0 ? NULL : magi_zalloc(MAGI_EPOLL_CHUNK * sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	for (int i = 0; i < MAGI_EPOLL_CHUNK; i++) {
		chunk[i].fd = (int)index * MAGI_EPOLL_CHUNK + i;
		for (uint8_t d = 0; d < MAGI_EPOLL_SIDES; d++) {
			chunk[i].side[d].work.side = true;
			chunk[i].side[d].direction = d;
			chunk[i].side[d].ready = true;
		}
	}
	u->chunks[index] = chunk;
	return 0;
}

struct magi_epoll_fd *magi_epoll_fd_find(struct magi_epoll *u, int fd, int *why)
{
	uint32_t index = (uint32_t)fd / MAGI_EPOLL_CHUNK;

	if (MAGI_UNLIKELY(index >= u->chunk_count || !u->chunks[index])) {
		*why = add_chunk(u, fd);
		if (*why < 0)
			return NULL;
	}
	return &u->chunks[index][(uint32_t)fd % MAGI_EPOLL_CHUNK];
}

struct magi_epoll_fd *magi_epoll_fd_of(struct magi_epoll_side *s)
{
	return (struct magi_epoll_fd *)(void *)((char *)(s - s->direction) - offsetof(struct magi_epoll_fd, side));
}

/* What was learned is about another file now, or about none. */
static void unlearn(struct magi_epoll_fd *e, uint64_t file)
{
	e->file = file;
	e->generation++;
	e->mask = 0;
	e->kind = MAGI_EPOLL_UNKNOWN;
	e->protocol = MAGI_EPOLL_UNASKED;
	e->careful = e->nonblock = false;
	for (int d = 0; d < MAGI_EPOLL_SIDES; d++) {
		e->side[d].ready = true;
		e->side[d].waited = false;
	}
}

static void end_all(struct magi_epoll *u, struct magi_epoll_list *list, int res)
{
	struct magi_epoll_op *op;

	while ((op = list->first)) {
		magi_epoll_list_remove(op);
		magi_epoll_end(u, op, res);
	}
}

/* Somebody has closed the number under operations that wait: they are not the next file's. */
static void abandon(struct magi_epoll *u, struct magi_epoll_fd *e)
{
	for (int d = 0; d < MAGI_EPOLL_SIDES; d++)
		end_all(u, &e->side[d].ops, -EBADF);
	end_all(u, &e->polls, -EBADF);
}

void magi_epoll_fd_use(struct magi_epoll *u, struct magi_epoll_fd *e, const struct magi_req *req)
{
	e->used = true;
	if (MAGI_LIKELY(req->file && e->file == req->file))
		return;
	if (req->file || e->file) {
		if (e->file)
			abandon(u, e);
		unlearn(e, req->file);
		return;
	}
	e->kind = MAGI_EPOLL_UNKNOWN;
	e->protocol = MAGI_EPOLL_UNASKED;
	e->nonblock = false;
	e->side[MAGI_EPOLL_READ].ready = e->side[MAGI_EPOLL_WRITE].ready = true;
}

void magi_epoll_activate(struct magi_epoll *u, struct magi_epoll_side *s)
{
	if (s->ready && s->ops.first)
		magi_epoll_work_add(u, &s->work);
}

static struct epoll_event event_of(const struct magi_epoll_fd *e, uint32_t mask)
{
	return (struct epoll_event){
		.events = mask | EPOLLET,
		.data.u64 = (uint64_t)e->generation << 32 | (uint32_t)e->fd,
	};
}

/* An operation holds the file. */
static int control(struct magi_epoll *u, struct magi_epoll_fd *e, int how, uint32_t mask)
{
	struct epoll_event event = event_of(e, mask);

	if (magi_fault())
		return -ENOMEM;
	return epoll_ctl(u->epfd, how, e->fd, &event) < 0 ? -errno : 0;
}

/* Registered for these events from now on, 0: for none. Nobody here holds the file: another worker may be closing it,
 * and the number may be another's already. Then epoll knows of no registration, and nothing happens. It is not for
 * ThreadSanitizer, which follows descriptors by number. */
static void let_go(struct magi_epoll *u, struct magi_epoll_fd *e, uint32_t mask)
{
	struct epoll_event event = event_of(e, mask);

	if (syscall(SYS_epoll_ctl, u->epfd, mask ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, e->fd, &event) == 0 || !mask)
		e->mask = mask;
}

int magi_epoll_arm(struct magi_epoll *u, struct magi_epoll_fd *e, uint32_t events)
{
	uint32_t mask = e->mask | events;
	int rc;

	if (mask == e->mask && e->file)
		return 0;
	rc = control(u, e, e->mask ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, mask);
	if (rc == -ENOENT) /* that was another file */
		rc = control(u, e, EPOLL_CTL_ADD, mask);
	else if (rc == -EEXIST) /* the same file under a new name */
		rc = control(u, e, EPOLL_CTL_MOD, mask);
	if (rc == 0)
		e->mask = mask;
	return rc;
}

int magi_epoll_expect(struct magi_epoll *u, struct magi_epoll_side *s)
{
	int rc = magi_epoll_arm(u, magi_epoll_fd_of(s),
				s->direction == MAGI_EPOLL_READ ? READ_EVENTS : (uint32_t)EPOLLOUT);

	s->ready = rc < 0;
	s->waited = true;
	return rc;
}

bool magi_epoll_is_empty(struct magi_epoll_fd *e)
{
	int protocol = 0;
	socklen_t size = sizeof(protocol);

	if (!e->file || e->careful || (e->mask & READ_EVENTS) != READ_EVENTS)
		return false;
	/* Others keep the borders of what was sent: less than was asked for is all of one piece there. */
	if (e->protocol == MAGI_EPOLL_UNASKED) {
		getsockopt(e->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
		e->protocol = protocol == IPPROTO_TCP ? MAGI_EPOLL_TCP : MAGI_EPOLL_NOT_TCP;
	}
	return e->protocol == MAGI_EPOLL_TCP;
}

static void tell_polls(struct magi_epoll *u, struct magi_epoll_fd *e, uint32_t events)
{
	struct magi_epoll_op *op = e->polls.first, *next;

	for (; op; op = next) {
		uint32_t there = events & (op->req.op_flags | END_EVENTS);

		next = op->next;
		if (!there)
			continue;
		magi_epoll_list_remove(op);
		magi_epoll_end(u, op, (int)there);
	}
}

/* Nobody wants to know: stops some of what epoll tells of e. */
static void stop_unasked(struct magi_epoll *u, struct magi_epoll_fd *e, uint32_t events, bool used)
{
	struct magi_epoll_side *writer = &e->side[MAGI_EPOLL_WRITE];
	bool waits = e->side[MAGI_EPOLL_READ].ops.first || writer->ops.first || e->polls.first;

	if (!waits && !used) {
		let_go(u, e, 0);
		e->side[MAGI_EPOLL_READ].ready = writer->ready = true;
	} else if ((events & EPOLLOUT) && (e->mask & EPOLLOUT) && !writer->waited && !writer->ops.first &&
		   !e->polls.first && (e->mask & ~(uint32_t)EPOLLOUT)) {
		/* there was room all the time: some sockets tell whenever the other end has read */
		writer->ready = true;
		let_go(u, e, e->mask & ~(uint32_t)EPOLLOUT);
	}
}

void magi_epoll_event(struct magi_epoll *u, const struct epoll_event *event)
{
	uint32_t fd = (uint32_t)event->data.u64, events = event->events;
	struct magi_epoll_fd *e = &u->chunks[fd / MAGI_EPOLL_CHUNK][fd % MAGI_EPOLL_CHUNK];
	struct magi_epoll_side *reader = &e->side[MAGI_EPOLL_READ], *writer = &e->side[MAGI_EPOLL_WRITE];
	bool used = e->used;

	if (event->data.u64 >> 32 != e->generation)
		return;
	if (events & (END_EVENTS | EPOLLRDHUP | EPOLLPRI))
		e->careful = true;
	if (events & (READ_EVENTS | END_EVENTS))
		reader->ready = true;
	if (events & (EPOLLOUT | END_EVENTS))
		writer->ready = true;
	tell_polls(u, e, events);
	e->used = false;
	stop_unasked(u, e, events, used);
	if (events & EPOLLOUT)
		writer->waited = false;
	magi_epoll_activate(u, reader);
	magi_epoll_activate(u, writer);
}

void magi_epoll_forget(struct magi_epoll *u, struct magi_epoll_fd *e)
{
	if (e->mask)
		let_go(u, e, 0);
	abandon(u, e);
	unlearn(e, 0);
}
