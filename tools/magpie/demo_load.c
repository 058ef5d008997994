/* SPDX-License-Identifier: MIT */
/* demo_load.c - clients of the demo's server: each is a task with one connection, which sends a request, waits for the
 * answer, checks it and goes on. They run in the same runtime as the server. */
#include "demo.h"

#include <magpie/io.h>
#include <magpie/poll.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <string.h>

#include "serve_site.h"

#define CLIENTS 64
#define LOAD_NS (8 * MAG_SECOND)
#define DRAW_NS (200 * MAG_MILLISECOND)

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct demo_client {
	mag_frame frame;
	MAG_ARGS(demo_client, struct demo *demo;);
	mag_fd fd;
	uint64_t sent;
	int64_t n, closed;
	size_t have;
	char buf[512];
};

/* Whether the answer has all come: 1, 0, or an error. */
static int64_t check_answer(const char *at, size_t n)
{
	static const char start[] = "HTTP/1.1 200 ", end[] = "\r\n\r\n" SERVE_HELLO;
	const char *body = memmem(at, n, "\r\n\r\n", 4);

	if (!body || (size_t)(at + n - body) < sizeof end - 1)
		return n < sizeof((struct demo_client *)0)->buf ? 0 : -EBADMSG;
	return !memcmp(at, start, sizeof start - 1) && (size_t)(at + n - body) == sizeof end - 1 &&
			       !memcmp(body, end, sizeof end - 1)
		       ? 1
		       : -EBADMSG;
}

static void record(struct demo_client *c)
{
	struct demo_tally *t = &c->demo->tally[mag_worker_index()];

	t->requests++;
	histogram_add(&t->ns, mag_now() - c->sent);
}

MAG_TASK(demo_client)
{
	MAG_BEGIN(demo_client);
	MAG_CALL(self->n, mag_tcp_connect, .addr = &self->demo->addr, .fd = &self->fd);
	while (self->n >= 0) {
		self->sent = mag_now();
		self->have = 0;
		MAG_AWAIT(self->n, mag_send_all, self->fd, request, sizeof request - 1);
		while (self->n >= 0) {
			MAG_AWAIT(self->n, mag_recv, self->fd, self->buf + self->have, sizeof self->buf - self->have);
			if (self->n <= 0) {
				self->n = self->n ? self->n : MAG_EEOF;
				break;
			}
			self->have += (size_t)self->n;
			self->n = check_answer(self->buf, self->have);
			if (self->n > 0)
				break;
		}
		if (self->n > 0)
			record(self);
	}
	/* it always ends with an error; the usual one is that the time is over */
	if (self->n != MAG_ECANCELED && self->n != MAG_ETIMEDOUT)
		self->demo->tally[mag_worker_index()].errors++;
	if (self->fd.generation)
		MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* Copies a worker's tally, on that worker. */
struct demo_copy {
	mag_frame frame;
	MAG_ARGS(demo_copy, const struct demo_tally *from; struct demo_tally * to;);
};

MAG_TASK(demo_copy)
{
	MAG_BEGIN(demo_copy);
	*self->to = *self->from;
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(demo_count)
{
	MAG_BEGIN(demo_count);
	self->copies = aligned_alloc(_Alignof(struct demo_tally), self->demo->workers * sizeof *self->copies);
	if (!self->copies)
		MAG_RETURN(-ENOMEM);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->demo->workers; self->i++) {
		MAG_SPAWN_ON(self->rc, self->i, &self->group, demo_copy, .from = &self->demo->tally[self->i],
			     .to = &self->copies[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->rc, &self->group);
	if (self->rc >= 0 && self->i == self->demo->workers) {
		struct demo_tally *sum = &self->demo->sum;

		memset(sum, 0, sizeof *sum);
		for (uint32_t i = 0; i < self->demo->workers; i++) {
			sum->requests += self->copies[i].requests;
			sum->errors += self->copies[i].errors;
			histogram_merge(&sum->ns, &self->copies[i].ns);
		}
	}
	free(self->copies);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Draws the figures so far, until it is cancelled. */
struct demo_draw {
	mag_frame frame;
	MAG_ARGS(demo_draw, struct demo *demo;);
	uint64_t start;
	int64_t rc, waste;
};

MAG_TASK(demo_draw)
{
	MAG_BEGIN(demo_draw);
	self->start = mag_now();
	for (self->rc = 0; self->rc >= 0;) {
		MAG_AWAIT(self->rc, mag_sleep, DRAW_NS);
		if (self->rc < 0)
			break;
		MAG_CALL(self->rc, demo_count, .demo = self->demo);
		if (self->rc >= 0)
			demo_print_live(self->demo, mag_now() - self->start);
	}
	demo_print_end_of_live(self->demo);
	MAG_RETURN(0);
	MAG_END;
}

/* Ends the load when a signal comes. */
struct demo_watch {
	mag_frame frame;
	MAG_ARGS(demo_watch, struct demo *demo; mag_group * group;);
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(demo_watch)
{
	MAG_BEGIN(demo_watch);
	self->rc = mag_fd_adopt(self->demo->signals, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_poll, self->fd, POLLIN);
	if (self->rc > 0) {
		self->demo->interrupted = true;
		mag_group_cancel(self->group);
	}
	mag_fd_release(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(demo_load)
{
	MAG_BEGIN(demo_load);
	self->start = mag_now();
	MAG_WITH_TIMEOUT(&self->scope, LOAD_NS);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, demo_watch, .demo = self->demo, .group = &self->group);
	if (self->demo->live)
		MAG_SPAWN(self->rc, &self->group, demo_draw, .demo = self->demo);
	for (self->i = 0; self->i < CLIENTS && self->rc >= 0; self->i++)
		MAG_SPAWN(self->rc, &self->group, demo_client, .demo = self->demo);
	MAG_GROUP_END(self->waste, &self->group);
	MAG_SCOPE_END(self->waste, &self->scope);
	self->demo->load_ns = mag_now() - self->start;
	MAG_CALL(self->waste, demo_count, .demo = self->demo);
	MAG_RETURN(self->rc < 0 && self->rc != MAG_ECANCELED ? self->rc : self->waste);
	MAG_END;
}
