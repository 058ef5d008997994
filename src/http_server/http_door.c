/* SPDX-License-Identifier: MIT */
/* http_door.c - accepting connections.
 *
 * Each worker has a listener of its own (SO_REUSEPORT) and a task on it that cannot move; the connections it takes start
 * on that worker, and others may steal them. */
#include <errno.h>
#include <magpie/time.h>
#include <sys/socket.h>

#include "http_conn.h"
#include "http_count.h"

/* How long a door waits before it tries again to accept, doubled with each try that fails: as an acceptor does. */
enum { DOOR_WAIT_MIN_MS = 10, DOOR_WAIT_MAX_MS = 100 };

/* When the server stops: for how long nobody may have come before a door is shut, and how long it stays open at most. */
#define LAST_NS (20 * MAG_MILLISECOND)
#define LAST_ALL_NS (500 * MAG_MILLISECOND)

/* Says why not, as far as the socket takes it, without waiting: who is refused must cost nothing. */
static void refuse(mag_http_server *server, mag_fd fd)
{
	struct http_here *here = magi_http_here(server, magi_http_clock());
	const struct http_answer a = { .status = 503, .minor = 1 };
	char text[HTTP_RESPONSE_MAX];
	int n = magi_http_response_error(text, sizeof text, &a, false, &here->date);

	magi_http_count_door(server, false);
	if (n > 0 && !server->options.tls)
		send(mag_fd_raw(fd), text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The acceptor deals with a lack of descriptors; here it is only told, once an episode. */
static void tell_dropped(struct http_door *door)
{
	uint64_t dropped = mag_acceptor_dropped(&door->acceptor);

	if (dropped > door->dropped)
		magi_http_trouble(door->server, "dropping connections", -EMFILE);
	door->dropped = dropped;
}

static bool may_pass(int64_t rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

static uint32_t longer(uint32_t ms)
{
	return ms * 2 < DOOR_WAIT_MAX_MS ? ms * 2 : DOOR_WAIT_MAX_MS;
}

/* Starts the connection that the door has taken, or refuses it. */
struct http_admit {
	mag_frame frame;
	MAG_ARGS(http_admit, struct http_door *door;);
	mag_scope scope;
	mag_addr peer;
	int64_t rc, ticket, closed;
};

static int64_t enter(struct http_admit *self)
{
	int64_t rc = mag_fd_peer_addr(self->door->fd, &self->peer);

	return rc < 0 ? rc : magi_http_gate_enter(&self->door->server->gate, &self->peer);
}

static MAG_TASK(http_admit)
{
	MAG_BEGIN(http_admit);
	tell_dropped(self->door);
	self->ticket = enter(self);
	if (self->ticket < 0) {
		refuse(self->door->server, self->door->fd);
		MAG_AWAIT(self->closed, mag_close, self->door->fd);
		MAG_RETURN(0);
	}
	magi_http_count_door(self->door->server, true);
	MAG_SPAWN(self->rc, self->door->server->guests, http_conn, .server = self->door->server,
		  .wire.fd = self->door->fd, .ticket = (uint32_t)self->ticket, .peer = self->peer);
	if (self->rc == MAG_ECANCELED) {
		/* the server stops, but this one was taken before */
		MAG_SHIELD(&self->scope, LAST_NS);
		MAG_SPAWN(self->rc, self->door->server->guests, http_conn, .server = self->door->server,
			  .wire.fd = self->door->fd, .ticket = (uint32_t)self->ticket, .peer = self->peer);
		MAG_SCOPE_END(self->closed, &self->scope);
	}
	if (self->rc < 0) {
		magi_http_gate_leave(&self->door->server->gate, (uint32_t)self->ticket);
		MAG_AWAIT(self->closed, mag_close, self->door->fd);
	}
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(http_door)
{
	MAG_BEGIN(http_door);
	self->dropped = 0;
	/* The kernel gives this listener its share of the clients in any case: if the door gave up they would wait for
	 * ever. */
	for (self->wait_ms = DOOR_WAIT_MIN_MS;; self->wait_ms = longer(self->wait_ms)) {
		self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
		if (self->rc < 0 && self->wait_ms == DOOR_WAIT_MIN_MS)
			magi_http_trouble(self->server, "cannot accept connections", self->rc);
		if (!may_pass(self->rc))
			break;
		MAG_AWAIT(self->rc, mag_sleep, self->wait_ms * MAG_MILLISECOND);
		if (self->rc < 0)
			break;
	}
	if (self->rc < 0)
		MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	for (;;) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		MAG_CALL(self->waste, http_admit, .door = self);
		if (self->waste < 0) /* there is no memory to admit it, nor to refuse it with */
			MAG_AWAIT(self->waste, mag_close, self->fd);
	}
	/* The system has connected some that nobody has taken yet, perhaps with a request: closing the listener would reset
	 * them. */
	if (self->rc == MAG_ECANCELED) {
		self->shut = mag_deadline_in(LAST_ALL_NS);
		self->quiet = 0;
		/* another worker may end one wait before this one has looked at its ring, but not the next as well */
		do {
			MAG_SHIELD(&self->scope, LAST_NS);
			MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
			self->quiet = self->rc == 0 ? 0 : self->quiet + 1;
			if (self->rc == 0)
				MAG_CALL(self->waste, http_admit, .door = self);
			if (self->rc == 0 && self->waste < 0)
				MAG_AWAIT(self->waste, mag_close, self->fd);
			MAG_SCOPE_END(self->waste, &self->scope);
		} while ((self->rc == 0 || self->rc == MAG_ECANCELED) && self->quiet < 2 && mag_now() < self->shut);
	}
	MAG_AWAIT(self->waste, mag_acceptor_close, &self->acceptor);
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}
