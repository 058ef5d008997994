/* SPDX-License-Identifier: MIT */
/* acceptor.c - multishot accept, and what happens when descriptors run out.
 *
 * What:    a source (task/source.h) whose results are entries of the table of files. On EMFILE it waits and tries
 *          again; when that fails too it closes its reserve, so that one connection can be accepted. If the reserve can
 *          then be opened anew, the shortage is over and the connection is served; else it is closed.
 * Who:     the worker that has the source's request, alarm or arming: one at a time.
 * Always:  a descriptor that the kernel gave is a consumer's, in the queue, or closed.
 *          A turn closes no more than SHED_MAX connections before it waits again.
 * Pairs:   [stat] dropped
 * Not:     accepting in a loop while EMFILE lasts (it spins); leaving the clients in the backlog (they wait for
 *          ever) */
#include <errno.h>
#include <fcntl.h>
#include <magpie/acceptor.h>
#include <magpie/options.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/sys.h"
#include "net/net.h"
#include "task/file.h"
#include "task/source.h"
#include "task/wait.h"

enum {
	SHED_MAX = 128,   /* connections refused in a turn */
	WAIT_MIN_MS = 10, /* until the first new try; doubled with each that fails */
	WAIT_MAX_MS = 100
};

struct magi_acceptor {
	struct magi_source source;
	int reserve;      /* a descriptor, or below 0 while it is lent to a connection */
	uint32_t wait_ms; /* of the next wait; 0: all is well */
	uint32_t shed;    /* connections closed since the last wait */
	uint64_t dropped; /* atomic [stat] */
};

static struct magi_acceptor *acceptor_of(struct magi_source *s)
{
	return (struct magi_acceptor *)(void *)s;
}

static int open_reserve(void)
{
	return magi_fault() ? -ENFILE : magi_sys_open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void drop(struct magi_acceptor *a, int raw)
{
	magi_sys_close(raw);
	magi_add_rlx(&a->dropped, 1); /* [stat] */
}

static void got(struct magi_source *s, struct magi_worker *w, const struct magi_rec *rec)
{
	struct magi_acceptor *a = acceptor_of(s);
	mag_fd fd;

	if (a->reserve < 0) {
		a->reserve = open_reserve();
		if (a->reserve < 0) {
			drop(a, rec->res);
			a->shed++;
			a->reserve = open_reserve();
			return;
		}
	}
	if (magi_fds_add(&w->rt->fds, rec->res, &fd) < 0) {
		drop(a, rec->res);
		return;
	}
	a->wait_ms = 0;
	magi_source_put(s, w, magi_fds_find(&w->rt->fds, fd));
}

static struct magi_source_turn short_of(struct magi_acceptor *a, int64_t res)
{
	uint32_t ms;

	if (a->wait_ms && a->shed < SHED_MAX && a->reserve >= 0 && (res == -EMFILE || res == -ENFILE)) {
		magi_sys_close(a->reserve);
		a->reserve = -1;
		return (struct magi_source_turn){ MAGI_SOURCE_AGAIN, 0, 0 };
	}
	if (a->reserve < 0)
		a->reserve = open_reserve();
	ms = a->wait_ms ? a->wait_ms : WAIT_MIN_MS;
	a->wait_ms = ms * 2 < WAIT_MAX_MS ? ms * 2 : WAIT_MAX_MS;
	a->shed = 0;
	return (struct magi_source_turn){ MAGI_SOURCE_LATER, 0, ms * MAGI_NS_PER_MS };
}

static struct magi_source_turn ended(struct magi_source *s, struct magi_worker *w, int64_t res, bool stopped)
{
	(void)w;
	if (res >= 0 || (stopped && res == -ECANCELED))
		return (struct magi_source_turn){ MAGI_SOURCE_AGAIN, 0, 0 };
	switch (res) {
	case -EMFILE:
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM:
		return short_of(acceptor_of(s), res);
	case -ECANCELED: /* the listener is being closed, or the runtime stops */
	case MAG_ECLOSED:
		return (struct magi_source_turn){ MAGI_SOURCE_END, MAG_ECLOSED, 0 };
	case -EBADF:
	case -EFAULT:
	case -EINVAL:
	case -ENOTSOCK:
	case -EOPNOTSUPP:
		return (struct magi_source_turn){ MAGI_SOURCE_END, res, 0 };
	default: /* that connection's own error: the next one may be fine */
		return (struct magi_source_turn){ MAGI_SOURCE_AGAIN, 0, 0 };
	}
}

static void **link_of(void *item)
{
	return (void **)(void *)&((struct magi_fd *)item)->next;
}

/* It is ours alone: nobody else knows its name. */
static mag_fd name_of(const struct magi_fd *r)
{
	return (mag_fd){ r->index, (uint32_t)(magi_load_acq(&r->word) >> 32) }; /* [fd] */
}

static int64_t hand(struct magi_source *s, const mag_frame *f, void *item, void *to)
{
	struct magi_fd *r = item;

	(void)s;
	r->made = f->at;
	*(mag_fd *)to = name_of(r);
	return 0;
}

static void dispose(struct magi_source *s, struct magi_worker *w, void *item)
{
	struct magi_fd *r = item;
	int raw = r->raw;

	(void)s;
	magi_fds_drop(&w->rt->fds, r);
	magi_sys_close(raw);
}

static void destroy(struct magi_source *s)
{
	struct magi_acceptor *a = acceptor_of(s);

	if (a->reserve >= 0)
		magi_sys_close(a->reserve);
	magi_free(a);
}

static const struct magi_source_ops ops = {
	.req = { .code = MAGI_IO_ACCEPT, .flags = MAGI_REQ_MULTISHOT, .op_flags = SOCK_CLOEXEC },
	.got = got,
	.ended = ended,
	.link = link_of,
	.hand = hand,
	.dispose = dispose,
	.destroy = destroy,
};

int mag_acceptor_start(mag_acceptor *acceptor, mag_fd listener, const mag_acceptor_options *given)
{
	mag_worker *w = magi_self();
	mag_acceptor_options o;
	struct magi_acceptor *a;
	int rc;

	if (!acceptor)
		return -EINVAL;
	acceptor->core = NULL;
	if (!w)
		return -EPERM;
	if (mag_options_take(&o, sizeof(o), given) < 0)
		return -EINVAL;
	a = magi_zalloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->reserve = open_reserve();
	rc = a->reserve < 0 ? -EMFILE : 0;
	if (rc == 0)
		rc = magi_source_start(&a->source, magi_worker_of(w), &ops, listener,
				       o.queue ? o.queue : MAG_ACCEPTOR_QUEUE);
	if (rc < 0) {
		destroy(&a->source);
		return rc;
	}
	acceptor->core = a;
	return 0;
}

mag_frame *mag_acceptor_next(mag_worker *w, mag_frame *f, mag_acceptor *acceptor, mag_fd *fd)
{
	if (!acceptor || !acceptor->core || !fd)
		return magi_wait_done(w, f, -EINVAL);
	*fd = MAG_FD_NONE;
	return magi_source_next(w, f, &acceptor->core->source, fd);
}

mag_frame *mag_acceptor_close(mag_worker *w, mag_frame *f, mag_acceptor *acceptor)
{
	struct magi_acceptor *a = acceptor ? acceptor->core : NULL;

	if (!a)
		return magi_wait_done(w, f, 0);
	acceptor->core = NULL;
	return magi_source_close(w, f, &a->source);
}

uint64_t mag_acceptor_dropped(const mag_acceptor *acceptor)
{
	return acceptor && acceptor->core ? magi_load_rlx(&acceptor->core->dropped) : 0; /* [stat] */
}
