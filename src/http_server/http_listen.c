/* SPDX-License-Identifier: MIT */
/* http_listen.c - the server's listeners: for each place one a worker, which share its port. */
#include <errno.h>
#include <magpie/time.h>

#include "http_core.h"

#define LISTEN_TRIES 20

/* The same port once more for another worker. */
static int listen_again(const mag_addr *at, mag_fd *fd)
{
	const mag_tcp_options shared = { .size = sizeof shared, .reuse_port = true };

	return mag_tcp_listen(at, &shared, fd);
}

/* A listener that somebody else made. */
static int64_t adopt(mag_http_server *server, int listener)
{
	int rc = mag_fd_adopt(listener, &server->listeners[server->listening]);

	if (rc < 0)
		return rc;
	mag_tcp_set_nodelay(server->listeners[server->listening++], true); /* what it accepts inherits it */
	return 0;
}

/* Binds all listeners of a place to one port. */
struct http_listen_at {
	mag_frame frame;
	MAG_ARGS(http_listen_at, mag_http_server *server; const mag_addr *addr; mag_addr *at;);
	uint32_t i;
	int64_t rc, waste;
	int tries;
};

static mag_fd *next_of(mag_http_server *server)
{
	return &server->listeners[server->listening];
}

static MAG_TASK(http_listen_at)
{
	MAG_BEGIN(http_listen_at);
	/* The first one does not share its port: it finds out whether somebody else has it, who might share it. */
	self->rc = mag_tcp_listen(self->addr, NULL, next_of(self->server));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->server->listening++;
	self->rc = mag_fd_local_addr(self->server->listeners[self->server->listening - 1], self->at);
	if (self->rc < 0 || self->server->workers == 1)
		MAG_RETURN(self->rc);
	self->server->listening--;
	MAG_AWAIT(self->waste, mag_close, *next_of(self->server));
	for (self->i = 0, self->tries = 0; self->i < self->server->workers;) {
		self->rc = listen_again(self->at, next_of(self->server));
		if (self->rc == -EADDRINUSE && self->tries++ < LISTEN_TRIES) {
			/* the kernel may let go of the first one a little later */
			MAG_AWAIT(self->waste, mag_sleep, MAG_MILLISECOND);
			continue;
		}
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		self->server->listening++;
		self->i++;
	}
	MAG_RETURN(0);
	MAG_END;
}

static void tell(mag_http_server *server, const mag_addr *at)
{
	if (server->options.ready)
		server->options.ready(server->options.ctx, at);
}

MAG_TASK(http_listen)
{
	MAG_BEGIN(http_listen);
	self->rc = 0;
	for (self->place = 0; self->place < self->server->place_count && self->rc >= 0; self->place++) {
		if (self->server->places[self->place].listener < 0) {
			MAG_CALL(self->rc, http_listen_at, .server = self->server,
				 .addr = &self->server->places[self->place].addr,
				 .at = &self->server->places[self->place].bound);
			continue;
		}
		self->rc = adopt(self->server, self->server->places[self->place].listener);
		if (self->rc >= 0)
			self->rc = mag_fd_local_addr(self->server->listeners[self->server->listening - 1],
						     &self->server->places[self->place].bound);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

void magi_http_tell_ready(mag_http_server *server)
{
	for (uint32_t i = 0; i < server->place_count; i++)
		tell(server, &server->places[i].bound);
}

/* Whether a listener is somebody else's. */
static bool is_adopted(const mag_http_server *server, mag_fd fd)
{
	for (uint32_t i = 0; i < server->place_count; i++)
		if (server->places[i].listener >= 0 && server->places[i].listener == mag_fd_raw(fd))
			return true;
	return false;
}

bool magi_http_unlisten(mag_http_server *server, mag_fd *fd)
{
	while (server->listening) {
		*fd = server->listeners[--server->listening];
		if (!is_adopted(server, *fd))
			return true;
		mag_fd_release(*fd);
	}
	return false;
}
