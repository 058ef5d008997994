/* SPDX-License-Identifier: MIT */
/* http_server.c - a server's life: options, routes, serving, stopping. */
#include <magpie/http_server.h>

#include <errno.h>
#include <magpie/options.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_conn.h"
#include "http_put.h"

enum {
	CONNECTIONS = 10000,
	CONNECTIONS_EACH = 2000, /* load generators on the same host open a thousand */
	HEAD_LIMIT = 1 << 20,    /* beyond it a head is no head */
	RATE = 1024,
	STREAMS = 100,
	FILES_BESIDE = 256,      /* open beside connections */
	FILES_MOST = 1 << 17,    /* for which room is made ahead: 8 bytes each */
	STREAMS_LIMIT = 10000
};

uint64_t magi_http_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct http_here *magi_http_here(mag_http_server *server, uint64_t now)
{
	struct http_here *here = &server->here[mag_worker_index()];

	if (here->turn != now >> 27) { /* every 134 ms, so that the date is not far behind */
		here->turn = now >> 27;
		magi_http_date_set(&here->date, (int64_t)time(NULL));
	}
	return here;
}

void magi_http_trouble(mag_http_server *server, const char *what, int64_t error)
{
	if (server->options.trouble)
		server->options.trouble(server->options.ctx, what, error);
}

static void set_64(uint64_t *value, uint64_t usual)
{
	*value = *value ? *value : usual;
}

static void set_32(uint32_t *value, uint32_t usual)
{
	*value = *value ? *value : usual;
}

/* What was not said gets its usual value. */
static int set_options(mag_http_server *server, const mag_http_server_options *options)
{
	mag_http_server_options *o = &server->options;

	if (mag_options_take(o, sizeof *o, options) < 0)
		return -EINVAL;
	set_32(&o->connections, CONNECTIONS);
	set_32(&o->connections_each, CONNECTIONS_EACH);
	set_32(&o->target_max, magi_http_limits.target);
	set_32(&o->head_max, magi_http_limits.head);
	set_32(&o->fields_max, magi_http_limits.fields);
	set_32(&o->rate, RATE);
	set_32(&o->streams, STREAMS);
	set_64(&o->body_max, magi_http_limits.body);
	set_64(&o->head_ns, 10 * MAG_SECOND);
	set_64(&o->idle_ns, 60 * MAG_SECOND);
	set_64(&o->body_ns, 10 * MAG_SECOND);
	set_64(&o->write_ns, 30 * MAG_SECOND);
	set_64(&o->request_ns, 60 * MAG_SECOND);
	set_64(&o->linger_ns, 2 * MAG_SECOND);
	set_64(&o->drain_ns, 5 * MAG_SECOND);
#ifndef MAGPIE_HAVE_TLS
	if (o->tls)
		return -ENOTSUP;
#endif
	if (o->name && !magi_http_is_value(o->name))
		return -EINVAL;
	if (o->target_max > HEAD_LIMIT || o->head_max > HEAD_LIMIT || o->fields_max > UINT16_MAX ||
	    o->streams > STREAMS_LIMIT)
		return -EINVAL;
	server->limits = (struct http_limits){
		.target = o->target_max, .head = o->head_max, .fields = o->fields_max, .body = o->body_max
	};
	return 0;
}

int mag_http_server_create(const mag_http_server_options *options, mag_http_server **out)
{
	mag_http_server *server = calloc(1, sizeof *server);
	int rc;

	if (!server)
		return -ENOMEM;
	rc = set_options(server, options);
	if (rc < 0) {
		free(server);
		return rc;
	}
	mag_event_init(&server->stopping);
	mag_event_init(&server->gone);
	mag_shutdown_init(&server->own, NULL);
	if (!server->options.shutdown)
		server->options.shutdown = &server->own;
	pthread_mutex_init(&server->lock, NULL);
	*out = server;
	return 0;
}

static void free_here(mag_http_server *server)
{
	for (uint32_t i = 0; i < server->workers; i++) {
		magi_http_shelf_clear(&server->here[i].shelf);
		pthread_mutex_destroy(&server->here[i].lock);
	}
	free(server->here);
	free(server->listeners);
	server->here = NULL;
	server->listeners = NULL;
	server->workers = 0;
}

void mag_http_server_destroy(mag_http_server *server)
{
	if (!server)
		return;
	free_here(server);
	magi_http_router_fini(&server->router);
	mag_shutdown_fini(&server->own);
	mag_event_fini(&server->stopping);
	mag_event_fini(&server->gone);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

static int add_place(mag_http_server *server, const struct http_place *place)
{
	if (server->place_count == HTTP_LISTEN_MAX)
		return -ENOSPC;
	server->places[server->place_count++] = *place;
	return 0;
}

int mag_http_server_listen(mag_http_server *server, const mag_addr *addr)
{
	return add_place(server, &(struct http_place){ .addr = *addr, .listener = -1 });
}

int mag_http_server_listen_fd(mag_http_server *server, int listener)
{
	return add_place(server, &(struct http_place){ .listener = listener });
}

const char *mag_http_server_alpn(void)
{
#ifdef MAGPIE_HAVE_NGHTTP2
	return "h2,http/1.1";
#else
	return "http/1.1";
#endif
}

static bool is_handler(const mag_http_handler *h)
{
	return h->plain || (h->step && h->args_size == 2 * sizeof(void *));
}

/* Returns: the llhttp_method_t, HTTP_ANY_METHOD for NULL, or -EINVAL */
static int method_of(const char *name)
{
	if (!name)
		return HTTP_ANY_METHOD;
	for (int i = 0; i < HTTP_ANY_METHOD && i <= HTTP_SOURCE; i++)
		if (!strcmp(llhttp_method_name((llhttp_method_t)i), name))
			return i;
	return -EINVAL;
}

int mag_http_server_route_with(mag_http_server *server, const char *method, const char *path, mag_http_handler handler,
			       void *user, const mag_http_route_options *options)
{
	mag_http_route_options o;
	struct http_route *route;
	int which = method_of(method), rc = mag_options_take(&o, sizeof o, options);

	if (rc < 0 || which < 0 || !is_handler(&handler) || !path)
		return -EINVAL;
	rc = magi_http_router_add(&server->router, (uint8_t)which, path, &route);
	if (rc < 0)
		return rc;
	route->handler = handler;
	route->user = user;
	route->body_max = o.body_max;
	route->request_ns = o.request_ns;
	/* how long a file takes is the client's affair, as long as it takes it at the minimum rate */
	if (!route->request_ns && handler.step == mag_http_files_step)
		route->request_ns = MAG_NEVER;
	return 0;
}

int mag_http_server_route(mag_http_server *server, const char *method, const char *path, mag_http_handler handler,
			  void *user)
{
	return mag_http_server_route_with(server, method, path, handler, user, NULL);
}

int mag_http_server_use(mag_http_server *server, mag_http_handler handler, void *user)
{
	if (!is_handler(&handler))
		return -EINVAL;
	if (server->middle_count == HTTP_MIDDLEWARE_MAX)
		return -ENOSPC;
	server->middle[server->middle_count++] = (struct http_middle){ handler, user };
	server->middle_tasks += !handler.plain;
	return 0;
}

void mag_http_server_stop(mag_http_server *server)
{
	mag_shutdown_begin(server->options.shutdown);
}

const char *mag_http_server_failed(const mag_http_server *server)
{
	return server->failed;
}

static int prepare(mag_http_server *server)
{
	uint32_t workers = mag_runtime_workers(mag_runtime_current());
	struct http_here *here = aligned_alloc(_Alignof(struct http_here), workers * sizeof *here);
	int rc;

	server->failed = "start";
	server->hard = false; /* nobody else is there yet who would look at this or the next */
	server->stop_since = 0;
	mag_event_reset(&server->stopping);
	mag_event_reset(&server->gone);
	if (!here)
		return -ENOMEM;
	rc = magi_http_gate_init(&server->gate, server->options.connections, server->options.connections_each);
	if (rc < 0) {
		free(here);
		return rc;
	}
	memset(here, 0, workers * sizeof *here);
	pthread_mutex_lock(&server->lock);
	free_here(server);
	server->listeners = calloc((size_t)workers * server->place_count + 1, sizeof *server->listeners);
	server->here = here;
	server->workers = workers;
	for (uint32_t i = 0; i < workers; i++)
		pthread_mutex_init(&here[i].lock, NULL);
	pthread_mutex_unlock(&server->lock);
	mag_fd_reserve(server->options.connections < FILES_MOST ? server->options.connections + FILES_BESIDE : FILES_MOST);
	if (server->listeners)
		return 0;
	magi_http_gate_fini(&server->gate);
	return -ENOMEM;
}

/* Cancels the handlers that still run, and those that begin. */
static void cancel_handlers(mag_http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->hard = true;
	for (struct http_conn *c = server->conns; c; c = c->next) {
		pthread_mutex_lock(&c->lock);
		if (c->working)
			mag_scope_cancel(&c->scope);
		pthread_mutex_unlock(&c->lock);
	}
	pthread_mutex_unlock(&server->lock);
}

uint64_t magi_http_stops(mag_http_server *server)
{
	uint64_t since;

	pthread_mutex_lock(&server->lock);
	if (!server->stop_since)
		server->stop_since = magi_http_clock();
	since = server->stop_since;
	pthread_mutex_unlock(&server->lock);
	return since;
}

/* When the server stops: waits until all connections have ended, or their time is over. */
struct http_reaper {
	mag_frame frame;
	MAG_ARGS(http_reaper, mag_http_server *server;);
	mag_scope scope;
	int64_t rc;
};

static MAG_TASK(http_reaper)
{
	MAG_BEGIN(http_reaper);
	MAG_SHIELD(&self->scope, MAG_NEVER);
	MAG_AWAIT(self->rc, mag_event_wait, &self->server->stopping);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_SHIELD(&self->scope, self->server->options.drain_ns);
	MAG_AWAIT(self->rc, mag_event_wait, &self->server->gone);
	MAG_SCOPE_END(self->rc, &self->scope);
	if (self->rc < 0)
		cancel_handlers(self->server);
	MAG_RETURN(0);
	MAG_END;
}

static void clean_up(mag_http_server *server)
{
	for (uint32_t i = 0; i < server->workers; i++)
		magi_http_shelf_clear(&server->here[i].shelf);
	magi_http_gate_fini(&server->gate);
}

MAG_TASK(mag_http_serve)
{
	MAG_BEGIN(mag_http_serve);
	self->rc = prepare(self->server);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->server->failed = "listen";
	MAG_CALL(self->rc, http_listen, .server = self->server);
	if (self->rc >= 0) {
		MAG_SHUTDOWN_JOIN(self->server->options.shutdown, &self->connections, MAG_SHUTDOWN_LAST, "connections");
		MAG_GROUP_BEGIN(&self->reaper, .policy = MAG_COLLECT);
		MAG_SPAWN(self->rc, &self->reaper, http_reaper, .server = self->server);
		MAG_GROUP_BEGIN(&self->guests, .policy = MAG_COLLECT);
		self->server->guests = &self->guests;
		MAG_SHUTDOWN_JOIN(self->server->options.shutdown, &self->taking, MAG_SHUTDOWN_TAKING, "listeners");
		MAG_GROUP_BEGIN(&self->doors, .policy = MAG_COLLECT);
		for (self->i = 0; self->i < self->server->listening && self->rc >= 0; self->i++)
			MAG_SPAWN_ON(self->rc, self->i % self->server->workers, &self->doors, http_door,
				     .server = self->server, .listener = self->server->listeners[self->i]);
		if (self->rc >= 0)
			magi_http_tell_ready(self->server);
		else
			mag_group_cancel(&self->doors);
		MAG_GROUP_END(self->waste, &self->doors);
		/* what still comes is refused by the kernel while the last requests are answered */
		while (magi_http_unlisten(self->server, &self->fd))
			MAG_AWAIT(self->waste, mag_close, self->fd);
		MAG_SHUTDOWN_LEAVE(self->waste, &self->taking);
		magi_http_stops(self->server);
		mag_event_set(&self->server->stopping);
		mag_group_cancel(&self->guests);
		MAG_GROUP_END(self->waste, &self->guests);
		mag_event_set(&self->server->gone);
		MAG_GROUP_END(self->waste, &self->reaper);
		MAG_SHUTDOWN_LEAVE(self->waste, &self->connections);
	}
	while (magi_http_unlisten(self->server, &self->fd))
		MAG_AWAIT(self->waste, mag_close, self->fd);
	clean_up(self->server);
	if (self->rc >= 0)
		self->server->failed = NULL;
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}
