/* SPDX-License-Identifier: MIT */
/* test_serve_seeds.c - a small app in the simulator: each case with its bytes cut at each place; then clients that are split,
 * slow, silent, reset and cancelled, seed after seed, on a server that is stopped at some time.
 *
 * Always:  who gets an answer gets the right one, to its end, or sees that it was cut off; the server ends when it is told
 *          to, and nothing is left. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/event.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

#include "serve_app.h"
#include "simulated/seeds.h"

enum { PORT = 8080, CLIENTS = 5, SPLITS = 3 };

struct town {
	mag_http_server *server;
	mag_event ready;
	mag_addr addr;
	uint64_t seed; /* of what the clients do */
	bool middleware, gone;
};

static uint32_t draw(struct town *town, uint32_t n)
{
	town->seed = town->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(town->seed >> 33) % n;
}

/* A client: says its case in pieces, hears until the end. */

struct client {
	mag_frame frame;
	MAG_ARGS(client, struct town *town; const struct app_case *c; bool rude; size_t cuts[SPLITS]; uint64_t pause;);
	mag_scope scope;
	mag_fd fd;
	char *heard;
	size_t at, to, n;
	int i;
	int64_t rc, waste, why;
};

static void judge(struct client *self)
{
	bool whole = self->rc == 0 || self->c->cut;

	/* who was cut off, or came too late, may have a part of it, or nothing */
	if ((self->rude || self->town->gone) && (!whole || self->n == 0))
		return;
	if (!app_is_answer(self->c, self->heard, self->n))
		mag_sim_fail("%s, cut at %zu: %s, '%s'", self->c->name, self->cuts[0], mag_errname(self->rc), self->heard);
}

static void reset(mag_fd fd)
{
	static const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	mag_socket_option(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

MAG_TASK(client)
{
	MAG_BEGIN(client);
	self->n = self->at = 0;
	self->heard = malloc(APP_HEARD + 1);
	MAG_WITH_TIMEOUT(&self->scope, self->rude ? 1 + self->pause * 2 : 200 * MAG_SECOND);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->town->addr, .fd = &self->fd);
	if (self->rc == 0) {
		for (self->i = 0; self->i <= SPLITS && self->rc >= 0; self->i++) {
			self->to = self->i < SPLITS ? self->cuts[self->i] : strlen(self->c->request);
			if (self->to <= self->at)
				continue;
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->c->request + self->at, self->to - self->at);
			self->at = self->to;
			if (self->pause)
				MAG_AWAIT(self->waste, mag_sleep, self->pause);
		}
		/* what was answered can be heard although not all was taken */
		for (self->rc = self->rude ? self->rc : 1; self->rc > 0 && self->n < APP_HEARD;) {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->heard + self->n, APP_HEARD - self->n);
			self->n += self->rc > 0 ? (size_t)self->rc : 0;
		}
		if (self->rude)
			reset(self->fd);
		MAG_AWAIT(self->waste, mag_close, self->fd);
		judge(self);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	free(self->heard);
	MAG_RETURN(0);
	MAG_END;
}

/* The server. */

static void ready(void *ctx, const mag_addr *at)
{
	struct town *town = ctx;

	(void)at;
	mag_event_set(&town->ready);
}

static void quiet(void *ctx, const mag_http_access *access)
{
	char line[200];

	(void)ctx;
	mag_sim_assert(mag_http_access_format(access, line, sizeof line) > 20);
}

struct server {
	mag_frame frame;
	MAG_ARGS(server, struct town *town;);
	int64_t rc;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	MAG_CALL(self->rc, mag_http_serve, .server = self->town->server);
	mag_sim_assert(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void build(struct town *town)
{
	const mag_http_server_options o = { .size = sizeof o, .ready = ready, .access = quiet, .ctx = town };

	mag_event_init(&town->ready);
	mag_addr_parse(&town->addr, "127.0.0.1:8080");
	mag_sim_assert(mag_http_server_create(&o, &town->server) == 0);
	mag_sim_assert(app_routes(town->server, town->middleware) == 0);
	mag_http_server_listen(town->server, &town->addr);
}

static void check_counts(mag_http_server *server, uint64_t least)
{
	mag_http_metrics m = { .size = sizeof m };

	mag_sim_assert(mag_http_server_metrics(server, &m) == 0);
	mag_sim_assert(m.connections == 0 && m.requests >= least);
}

/* Each case, cut at each place. */

struct all_cuts {
	mag_frame frame;
	MAG_ARGS(all_cuts, const struct app_case *c; bool middleware;);
	struct town town;
	mag_group group, clients;
	size_t at;
	int64_t rc;
};

MAG_TASK(all_cuts)
{
	MAG_BEGIN(all_cuts);
	self->town = (struct town){ .middleware = self->middleware };
	build(&self->town);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, server, .town = &self->town);
	MAG_AWAIT(self->rc, mag_event_wait, &self->town.ready);
	MAG_GROUP_BEGIN(&self->clients, .limit = 8);
	for (self->at = 0; self->at <= strlen(self->c->request); self->at++)
		MAG_SPAWN(self->rc, &self->clients, client, .town = &self->town, .c = self->c, .cuts = { self->at },
			  .pause = MAG_MILLISECOND);
	MAG_GROUP_END(self->rc, &self->clients);
	mag_http_server_stop(self->town.server);
	MAG_GROUP_END(self->rc, &self->group);
	check_counts(self->town.server, strlen(self->c->request));
	mag_http_server_destroy(self->town.server);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

Test(serve_seeds, each_case_is_answered_wherever_it_is_cut, .timeout = 300)
{
	for (size_t i = 0; i < 2 * app_case_count; i++) {
		const struct app_case *c = &app_cases[i / 2];
		const mag_sim_options o = { .size = sizeof o, .faults = MAG_SIM_NONE };

		cr_assert_geq(mag_sim_run_into(&(mag_sim_result){ 0 }, i, &o, all_cuts, .c = c, .middleware = i % 2), 0,
			      "%s", c->name);
	}
}

/* Anything. */

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, uint64_t seed;);
	struct town town;
	mag_group group, clients;
	const struct app_case *c;
	size_t length;
	int64_t rc;
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	self->town = (struct town){ .seed = self->seed * 2 + 1, .middleware = self->seed & 1 };
	build(&self->town);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, server, .town = &self->town);
	MAG_AWAIT(self->rc, mag_event_wait, &self->town.ready);
	MAG_GROUP_BEGIN(&self->clients);
	for (self->i = 0; self->i < CLIENTS; self->i++) {
		self->c = &app_cases[draw(&self->town, (uint32_t)app_case_count)];
		self->length = strlen(self->c->request);
		MAG_SPAWN(self->rc, &self->clients, client, .town = &self->town, .c = self->c,
			  .rude = draw(&self->town, 3) == 0,
			  .cuts = { draw(&self->town, (uint32_t)self->length), draw(&self->town, (uint32_t)self->length) },
			  .pause = draw(&self->town, 4) * draw(&self->town, 3000) * MAG_MICROSECOND);
	}
	if (draw(&self->town, 2) == 0) {
		MAG_AWAIT(self->rc, mag_sleep, draw(&self->town, 20) * MAG_MILLISECOND);
		self->town.gone = true;
		mag_http_server_stop(self->town.server);
	}
	MAG_GROUP_END(self->rc, &self->clients);
	mag_http_server_stop(self->town.server);
	MAG_GROUP_END(self->rc, &self->group);
	check_counts(self->town.server, 0);
	mag_http_server_destroy(self->town.server);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static int64_t run_crowd(uint64_t seed)
{
	return mag_sim_run(seed, NULL, crowd, .seed = seed);
}

Test(serve_seeds, whoever_gets_an_answer_gets_the_right_one, .timeout = 300)
{
	run_all("crowd", run_crowd);
}

/* Connections that speak another protocol when the server stops: some end by themselves, about when the time for that is
 * over, while the others are cancelled. */

#define UP "GET /up HTTP/1.1\r\nHost: a\r\n\r\n"

enum { GUESTS = 6, DRAIN = 5 }; /* s: drain_ns */

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, struct town *town; uint64_t leave;);
	mag_fd fd;
	char heard[200];
	int64_t rc, n;
};

/* Stays until `leave`; MAG_NEVER: until the server ends it. */
MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->town->addr, .fd = &self->fd);
	mag_sim_assert(self->rc == 0);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, UP, sizeof UP - 1);
	MAG_AWAIT(self->n, mag_recv, self->fd, self->heard, sizeof self->heard);
	mag_sim_assert(self->n >= 0);
	if (self->leave != MAG_NEVER)
		MAG_AWAIT(self->rc, mag_sleep_until, self->leave);
	while (self->leave == MAG_NEVER && self->n > 0)
		MAG_AWAIT(self->n, mag_recv, self->fd, self->heard, sizeof self->heard);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct party {
	mag_frame frame;
	MAG_ARGS(party, uint64_t seed;);
	struct town town;
	mag_group group, guests;
	uint64_t over;
	int64_t rc;
	int i;
};

MAG_TASK(party)
{
	MAG_BEGIN(party);
	self->town = (struct town){ .seed = self->seed * 2 + 1 };
	build(&self->town);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, server, .town = &self->town);
	MAG_AWAIT(self->rc, mag_event_wait, &self->town.ready);
	self->over = mag_now() + (1 + DRAIN) * MAG_SECOND;
	MAG_GROUP_BEGIN(&self->guests);
	for (self->i = 0; self->i < GUESTS; self->i++)
		MAG_SPAWN(self->rc, &self->guests, guest, .town = &self->town,
			  .leave = self->i % 2 ? self->over - draw(&self->town, 2) * draw(&self->town, 50) * MAG_MILLISECOND
					       : MAG_NEVER);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	mag_http_server_stop(self->town.server);
	MAG_GROUP_END(self->rc, &self->guests);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_now() >= self->over && mag_now() < self->over + MAG_SECOND);
	check_counts(self->town.server, GUESTS);
	mag_http_server_destroy(self->town.server);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static int64_t run_party(uint64_t seed)
{
	return mag_sim_run(seed, NULL, party, .seed = seed);
}

/* Tried: handlers that are not cancelled; a lock that keeps the thread of all coroutines. */
Test(serve_seeds, handlers_that_go_on_are_cancelled_when_the_time_to_stop_is_over, .timeout = 300)
{
	run_all("party", run_party);
}
