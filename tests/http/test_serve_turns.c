/* SPDX-License-Identifier: MIT */
/* test_serve_turns.c - every fault in turn while magpie serve serves, in the simulator: a client gets an answer or its
 * connection is closed, later ones get an answer, the server stops when it is told to, and nothing is left open. */
#define SERVE_WORLD_ANSWERS
#include "serve_world.h"

#include "serve_site.h"

#include <linux/sockios.h>
#include <magpie/event.h>
#include <magpie/file.h>

#include "base/alloc.h"
#include "io/sim_world.h"
#include "simulated/turns.h"

/* What the server asks of the system. */

void *world_malloc(size_t size)
{
	return magi_alloc(size);
}

void *world_calloc(size_t n, size_t size)
{
	return magi_zalloc(n * size);
}

void *world_aligned_alloc(size_t align, size_t size)
{
	return magi_fault() ? NULL : aligned_alloc(align, size);
}

int world_clock(struct timespec *ts)
{
	uint64_t now = mag_now();

	*ts = (struct timespec){ (time_t)(now / MAG_SECOND), (long)(now % MAG_SECOND) };
	return 0;
}

static int told(int64_t rc)
{
	errno = rc < 0 ? (int)-rc : errno;
	return rc < 0 ? -1 : (int)rc;
}

int world_ioctl(int fd, unsigned long what, int *bytes)
{
	struct sim_object *o = magi_world_fd_find(magi_host()->world, fd);
	int fault = magi_fault_at(MAGI_FAULT_SYSTEM, "ioctl");

	if (fault || !o || o->kind != SIM_STREAM)
		return told(fault ? -fault : -EINVAL);
	if (what == FIONREAD)
		*bytes = magi_world_channel_look(o->in) ? (int)o->in->there : 0;
	else
		*bytes = (int)o->out->count;
	return 0;
}

ssize_t world_send(int fd, const void *bytes, size_t n)
{
	struct sim_object *o = magi_world_fd_find(magi_host()->world, fd);
	int fault = magi_fault_at(MAGI_FAULT_SYSTEM, "send"), rc;

	if (fault || !o)
		return told(fault ? -fault : -EBADF);
	rc = magi_world_stream_write(o, bytes, (uint32_t)n);
	return told(rc == SIM_WAIT ? -EAGAIN : rc);
}

int world_fcntl(int fd, int command, int value)
{
	return told(magi_sys_fcntl(fd, command, value));
}

int world_statx(int fd, const char *path, int flags, unsigned mask, struct statx *status)
{
	return told(magi_sys_statx(fd, path, flags, mask, status));
}

/* A client: says something, hears until the end. */

struct town {
	struct serve_site site;
	mag_event ready;
	int stop[2];
	bool up, over;
	uint32_t late; /* clients that waited in vain */
	int64_t rc;    /* the server's */
};

enum { HEARD = 600, PATIENCE_S = 300 };

struct client {
	mag_frame frame;
	MAG_ARGS(client, struct town *town; const char *text; bool slow;);
	mag_scope scope;
	mag_fd fd;
	char heard[HEARD];
	size_t at, n;
	int64_t rc, waste, why;
};

/* Whether there was an answer: 1, or why not. */
MAG_TASK(client)
{
	MAG_BEGIN(client);
	mag_ledger_add("clients", 1);
	self->n = 0;
	MAG_WITH_TIMEOUT(&self->scope, PATIENCE_S * MAG_SECOND);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->town->site.addr, .fd = &self->fd);
	if (self->rc == 0) {
		for (self->at = 0; self->text[self->at] && self->slow && self->rc >= 0; self->at++) {
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->text + self->at, 1);
			MAG_AWAIT(self->waste, mag_sleep, MAG_MILLISECOND);
		}
		if (!self->slow)
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->text, strlen(self->text));
		while (self->rc > 0 && self->n < HEARD) {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->heard + self->n, HEARD - self->n);
			self->n += self->rc > 0 ? (size_t)self->rc : 0;
		}
		MAG_AWAIT(self->waste, mag_close, self->fd);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	mag_ledger_add("clients", -1);
	if (self->n >= 9)
		mag_sim_assert(memcmp(self->heard, "HTTP/1.1 ", 9) == 0);
	self->town->late += self->why == MAG_ETIMEDOUT;
	MAG_RETURN(self->n >= 9 ? 1 : self->rc);
	MAG_END;
}

/* The server in its town. */

static struct town *town_of(struct serve_site *site)
{
	return (struct town *)(void *)site;
}

static void ready(struct serve_site *site, const mag_addr *at)
{
	town_of(site)->site.addr = *at;
	town_of(site)->up = true;
	mag_event_set(&town_of(site)->ready);
}

static void stopping(struct serve_site *site)
{
	town_of(site)->over = true;
}

struct server {
	mag_frame frame;
	MAG_ARGS(server, struct town *town;);
	int64_t rc;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	MAG_CALL(self->rc, serve_run, .site = &self->town->site);
	self->town->rc = self->rc;
	self->town->over = true;
	mag_event_set(&self->town->ready);
	MAG_RETURN(0);
	MAG_END;
}

#define HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static const char *const texts[] = {
	HELLO HELLO LAST,
	"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	LAST, /* slowly */
	"GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET nonsense\r\n\r\n",
	HELLO, /* and silence */
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]), SLOW = 2, LONG = 20000 };

struct visits {
	mag_frame frame;
	MAG_ARGS(visits, struct town *town;);
	mag_group clients;
	int64_t rc, i;
};

/* Several at once; then one after another, of whom a single fault can meet but one. */
MAG_TASK(visits)
{
	MAG_BEGIN(visits);
	MAG_GROUP_BEGIN(&self->clients, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < TEXTS; self->i++)
		MAG_SPAWN(self->rc, &self->clients, client, .town = self->town, .text = texts[self->i],
			  .slow = self->i == SLOW);
	MAG_GROUP_END(self->rc, &self->clients);
	mag_group_clear(&self->clients);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_CALL(self->rc, client, .town = self->town, .text = LAST);
		if (self->rc == 1)
			break;
	}
	if (!turns_again) {
		mag_sim_assert(!self->town->over);
		mag_sim_assert(self->rc == 1);
		mag_sim_assert(!self->town->late);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct town_life {
	mag_frame frame;
	MAG_ARGS(town_life, const char *root;);
	struct town town;
	mag_group group;
	char *text;
	int64_t rc, waste;
};

MAG_TASK(town_life)
{
	MAG_BEGIN(town_life);
	self->town =
		(struct town){ .site = { .listener = -1, .root = self->root, .ready = ready, .stopping = stopping } };
	mag_event_init(&self->town.ready);
	mag_addr_parse(&self->town.site.addr, "127.0.0.1:8080");
	self->text = calloc(1, LONG);
	if (self->root) {
		MAG_AWAIT(self->waste, mag_mkdir, self->root, 0700);
		MAG_CALL(self->waste, mag_write_file, .path = "/tmp/site/hello", .data = "hello", .length = 5,
			 .mode = 0600);
		MAG_CALL(self->waste, mag_write_file, .path = "/tmp/site/long", .data = self->text, .length = LONG,
			 .mode = 0600);
	}
	free(self->text);
	mag_sim_assert(magi_world_pipe(magi_host()->world, self->town.stop) == 0);
	self->town.site.stop = self->town.stop[0];
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, server, .town = &self->town);
	if (self->rc == 0) {
		MAG_AWAIT(self->waste, mag_event_wait, &self->town.ready);
		if (self->town.up)
			MAG_CALL(self->waste, visits, .town = &self->town);
	}
	magi_world_close(magi_host()->world, self->town.stop[1]);
	MAG_GROUP_END(self->waste, &self->group);
	mag_group_clear(&self->group);
	magi_world_close(magi_host()->world, self->town.stop[0]);
	mag_sim_assert(self->town.site.gate.now == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static int64_t run_hello(uint64_t seed, const mag_sim_options *options, mag_sim_result *result)
{
	return mag_sim_run_into(result, seed, options, town_life, .root = NULL);
}

static int64_t run_files(uint64_t seed, const mag_sim_options *options, mag_sim_result *result)
{
	return mag_sim_run_into(result, seed, options, town_life, .root = "/tmp/site");
}

/* Tried: a server that does not say where it listens. */
Test(serve_turns, after_each_fault_it_answers, .timeout = 3600)
{
	turns_take(run_hello, 2.0);
}

Test(serve_turns, after_each_fault_it_answers_with_files, .timeout = 3600)
{
	turns_take(run_files, 2.0);
}

/* Tried: a connection for which there is no frame to admit it is forgotten; a server that stops when there is no memory
 * to wait for its stop with. */
Test(serve_turns, when_memory_is_out_nobody_is_left_waiting, .timeout = 300)
{
	turns_take_memory(run_hello, 2);
}
