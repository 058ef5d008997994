/* SPDX-License-Identifier: MIT */
/* test_serve_turns.c - every fault in turn while magpie serve serves, in the simulator: a client gets an answer or its
 * connection is closed, later ones get an answer, the server stops when it is told to, and nothing is left open. */
#include <magpie/event.h>
#include <magpie/file.h>
#include <magpie/http_server.h>

#include "simulated/turns.h"

/* A client: says something, hears until the end. */

struct town {
	mag_http_server *server;
	struct mag_http_directory files;
	mag_addr addr;
	const char *root;
	mag_event ready;
	struct mag_shutdown down;
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
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->town->addr, .fd = &self->fd);
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

static void ready(void *ctx, const mag_addr *at)
{
	struct town *town = ctx;

	town->addr = *at;
	town->up = true;
	mag_event_set(&town->ready);
}

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_text(http, 200, "hello");
}

static int prepare(struct town *town)
{
	const mag_http_server_options o = { .size = sizeof(o), .shutdown = &town->down, .ready = ready, .ctx = town };
	int rc = mag_http_server_create(&o, &town->server);

	if (rc < 0) {
		town->server = NULL;
		return rc;
	}
	mag_http_server_listen(town->server, &town->addr);
	return mag_http_server_route(town->server, "GET", "/{path...}",
				     town->root ? MAG_HTTP_TASK(mag_http_files) : MAG_HTTP_PLAIN(hello), &town->files);
}

struct server {
	mag_frame frame;
	MAG_ARGS(server, struct town *town;);
	int64_t rc, closed;
};

static void count_connections(mag_http_server *server)
{
	mag_http_metrics m = { .size = sizeof(m) };

	mag_sim_assert(mag_http_server_metrics(server, &m) == 0);
	mag_sim_assert(m.connections == 0);
}

MAG_TASK(server)
{
	MAG_BEGIN(server);
	self->rc = prepare(self->town);
	if (self->rc == 0 && self->town->root)
		MAG_AWAIT(self->rc, mag_open, self->town->root, O_RDONLY | O_DIRECTORY, 0, &self->town->files.root);
	if (self->rc >= 0)
		MAG_CALL(self->rc, mag_http_serve, .server = self->town->server);
	if (self->town->server)
		count_connections(self->town->server);
	mag_http_server_destroy(self->town->server);
	if (self->town->files.root.generation)
		MAG_AWAIT(self->closed, mag_close, self->town->files.root);
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
	self->town = (struct town){ .root = self->root, .files.root = MAG_FD_NONE };
	mag_event_init(&self->town.ready);
	mag_addr_parse(&self->town.addr, "127.0.0.1:8080");
	self->text = calloc(1, LONG);
	if (self->root) {
		MAG_AWAIT(self->waste, mag_mkdir, self->root, 0700);
		MAG_CALL(self->waste, mag_write_file, .path = "/tmp/site/hello", .data = "hello", .length = 5,
			 .mode = 0600);
		MAG_CALL(self->waste, mag_write_file, .path = "/tmp/site/long", .data = self->text, .length = LONG,
			 .mode = 0600);
	}
	free(self->text);
	mag_shutdown_init(&self->town.down, NULL);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, server, .town = &self->town);
	if (self->rc == 0) {
		MAG_AWAIT(self->waste, mag_event_wait, &self->town.ready);
		if (self->town.up)
			MAG_CALL(self->waste, visits, .town = &self->town);
	}
	mag_shutdown_begin(&self->town.down);
	MAG_GROUP_END(self->waste, &self->group);
	mag_group_clear(&self->group);
	mag_sim_assert(mag_shutdown_fini(&self->town.down) == 0);
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

/* Tried: a connection for which there is no frame to admit it is forgotten. */
Test(serve_turns, when_memory_is_out_nobody_is_left_waiting, .timeout = 300)
{
	turns_take_memory(run_hello, 2);
}
