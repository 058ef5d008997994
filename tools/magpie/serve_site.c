/* SPDX-License-Identifier: MIT */
/* serve_site.c - listening, accepting, stopping.
 *
 * Each worker has a listener of its own (SO_REUSEPORT) and a task on it that cannot move; the connections it takes start
 * on that worker, and others may steal them. */
#include "serve_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <magpie/acceptor.h>
#include <magpie/poll.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LISTEN_TRIES 20

/* How long a door waits before it tries again to accept, doubled with each try that fails: as an acceptor does. */
enum { DOOR_WAIT_MIN_MS = 10, DOOR_WAIT_MAX_MS = 100 };

uint64_t serve_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void write_texts(struct serve_here *here)
{
	static const struct http_answer a = {
		.status = 200, .minor = 1, .keep_alive = true, .type = "text/plain", .length = sizeof SERVE_HELLO - 1
	};
	int n;

	http_date_set(&here->date, (int64_t)time(NULL));
	n = http_response_head(here->hello, sizeof here->hello - sizeof SERVE_HELLO, &a, &here->date);
	memcpy(here->hello + n, SERVE_HELLO, sizeof SERVE_HELLO - 1);
	here->hello_len = (uint32_t)n + sizeof SERVE_HELLO - 1;
}

struct serve_here *serve_here(struct serve_site *site, uint64_t now)
{
	struct serve_here *here = &site->here[mag_worker_index()];

	if (here->turn != now >> 27) { /* every 134 ms, so that the date is not far behind */
		here->turn = now >> 27;
		write_texts(here);
	}
	return here;
}

/* Says why not, as far as the socket takes it, without waiting: who is refused must cost nothing. */
static void refuse(struct serve_site *site, mag_fd fd)
{
	struct serve_here *here = serve_here(site, serve_clock());
	const struct http_answer a = { .status = 503, .minor = 1 };
	char text[HTTP_RESPONSE_MAX];
	int n = http_response_error(text, sizeof text, &a, false, &here->date);

	if (n > 0)
		send(mag_fd_raw(fd), text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* When the server stops: for how long nobody may have come before a door is shut, and how long it stays open at most. */
#define LAST_NS (20 * MAG_MILLISECOND)
#define LAST_ALL_NS (500 * MAG_MILLISECOND)

/* Takes connections of one listener. */
struct serve_door {
	mag_frame frame;
	MAG_ARGS(serve_door, struct serve_site *site; mag_fd listener;);
	mag_acceptor acceptor;
	mag_scope scope;
	mag_fd fd;
	int64_t rc, waste;
	uint64_t shut; /* ns: until when it may stay open */
	int quiet;     /* waits in a row in which nobody came */
	uint64_t dropped; /* of those told about */
	uint32_t wait_ms;
};

static int64_t enter(struct serve_door *door)
{
	mag_addr peer;
	int64_t rc = mag_fd_peer_addr(door->fd, &peer);

	return rc < 0 ? rc : serve_gate_enter(&door->site->gate, &peer);
}

/* The acceptor deals with a lack of descriptors; here it is only told, once an episode. */
static void tell_dropped(struct serve_door *door)
{
	uint64_t dropped = mag_acceptor_dropped(&door->acceptor);

	if (dropped > door->dropped && door->site->trouble)
		door->site->trouble("dropping connections", -EMFILE);
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
struct serve_admit {
	mag_frame frame;
	MAG_ARGS(serve_admit, struct serve_door *door;);
	mag_scope scope;
	int64_t rc, ticket, closed;
};

static MAG_TASK(serve_admit)
{
	MAG_BEGIN(serve_admit);
	tell_dropped(self->door);
	self->ticket = enter(self->door);
	if (self->ticket < 0) {
		refuse(self->door->site, self->door->fd);
		MAG_AWAIT(self->closed, mag_close, self->door->fd);
		MAG_RETURN(0);
	}
	MAG_SPAWN(self->rc, self->door->site->guests, serve_conn, .site = self->door->site, .fd = self->door->fd,
		  .ticket = (uint32_t)self->ticket);
	if (self->rc == MAG_ECANCELED) {
		/* the server stops, but this one was taken before */
		MAG_SHIELD(&self->scope, LAST_NS);
		MAG_SPAWN(self->rc, self->door->site->guests, serve_conn, .site = self->door->site, .fd = self->door->fd,
			  .ticket = (uint32_t)self->ticket);
		MAG_SCOPE_END(self->closed, &self->scope);
	}
	if (self->rc < 0) {
		serve_gate_leave(&self->door->site->gate, (uint32_t)self->ticket);
		MAG_AWAIT(self->closed, mag_close, self->door->fd);
	}
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(serve_door)
{
	MAG_BEGIN(serve_door);
	self->dropped = 0;
	/* The kernel gives this listener its share of the clients in any case: if the door gave up they would wait for
	 * ever. */
	for (self->wait_ms = DOOR_WAIT_MIN_MS;; self->wait_ms = longer(self->wait_ms)) {
		self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
		if (self->rc < 0 && self->wait_ms == DOOR_WAIT_MIN_MS && self->site->trouble)
			self->site->trouble("cannot accept connections", self->rc);
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
		MAG_CALL(self->waste, serve_admit, .door = self);
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
				MAG_CALL(self->waste, serve_admit, .door = self);
			if (self->rc == 0 && self->waste < 0)
				MAG_AWAIT(self->waste, mag_close, self->fd);
			MAG_SCOPE_END(self->waste, &self->scope);
		} while ((self->rc == 0 || self->rc == MAG_ECANCELED) && self->quiet < 2 && mag_now() < self->shut);
	}
	MAG_AWAIT(self->waste, mag_acceptor_close, &self->acceptor);
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

/* Binds all listeners to one port. */
struct serve_listen {
	mag_frame frame;
	MAG_ARGS(serve_listen, struct serve_run *run;);
	mag_addr at;
	uint32_t i;
	int64_t rc, waste;
	int tries;
};

/* The same port once more for another worker. */
static int listen_again(const mag_addr *at, mag_fd *fd)
{
	const mag_tcp_options shared = { .size = sizeof shared, .reuse_port = true };

	return mag_tcp_listen(at, &shared, fd);
}

MAG_TASK(serve_listen)
{
	MAG_BEGIN(serve_listen);
	/* The first one does not share its port: it finds out whether somebody else has it, who might share it. */
	self->rc = mag_tcp_listen(&self->run->site->addr, NULL, &self->run->listeners[0]);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->run->n = 1;
	self->rc = mag_fd_local_addr(self->run->listeners[0], &self->at);
	if (self->rc < 0 || mag_runtime_workers(mag_runtime_current()) == 1)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->waste, mag_close, self->run->listeners[0]);
	self->run->n = 0;
	for (self->i = self->tries = 0; self->i < mag_runtime_workers(mag_runtime_current());) {
		self->rc = listen_again(&self->at, &self->run->listeners[self->i]);
		if (self->rc == -EADDRINUSE && self->tries++ < LISTEN_TRIES) {
			/* the kernel may let go of the first one a little later */
			MAG_AWAIT(self->waste, mag_sleep, MAG_MILLISECOND);
			continue;
		}
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		self->run->n = ++self->i;
	}
	MAG_RETURN(0);
	MAG_END;
}

static int prepare(struct serve_site *site)
{
	uint32_t workers = mag_runtime_workers(mag_runtime_current());
	int rc = serve_gate_init(&site->gate, site->connections ? site->connections : SERVE_CONNECTIONS,
				 site->each ? site->each : SERVE_CONNECTIONS_EACH);

	site->failed = "start";
	if (!site->hurry)
		site->hurry = 1;
	site->root_fd = MAG_FD_NONE;
	if (rc < 0)
		return rc;
	site->here = aligned_alloc(_Alignof(struct serve_here), workers * sizeof *site->here);
	if (!site->here) {
		serve_gate_fini(&site->gate);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < workers; i++) {
		site->here[i].turn = 0;
		site->here[i].date = (struct http_date){ 0 };
		site->here[i].shelf = (struct serve_shelf){ 0 };
	}
	return 0;
}

static void clean_up(struct serve_site *site)
{
	for (uint32_t i = 0; i < mag_runtime_workers(mag_runtime_current()); i++)
		serve_shelf_clear(&site->here[i].shelf);
	free(site->here);
	serve_gate_fini(&site->gate);
}

/* A listener that somebody else made. */
static int64_t adopt_listener(struct serve_run *run)
{
	int rc = mag_fd_adopt(run->site->listener, &run->listeners[0]);

	if (rc < 0)
		return rc;
	run->n = 1;
	mag_tcp_set_nodelay(run->listeners[0], true); /* what it accepts inherits it */
	return 0;
}

/* Whoever waits for that would wait for ever if it were left out. */
static int tell_ready(struct serve_run *run)
{
	mag_addr at;
	int rc = run->site->ready ? mag_fd_local_addr(run->listeners[0], &at) : 0;

	if (rc == 0 && run->site->ready)
		run->site->ready(run->site, &at);
	return rc;
}

MAG_TASK(serve_run)
{
	MAG_BEGIN(serve_run);
	self->n = 0;
	self->rc = prepare(self->site);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->rc = mag_fd_adopt(self->site->stop, &self->stop);
	if (self->rc == 0 && self->site->root) {
		self->site->failed = "open the root";
		MAG_AWAIT(self->rc, mag_open, self->site->root, O_RDONLY | O_DIRECTORY, 0, &self->site->root_fd);
	}
	if (self->rc >= 0) {
		self->site->failed = "listen";
		if (self->site->listener >= 0)
			self->rc = adopt_listener(self);
		else
			MAG_CALL(self->rc, serve_listen, .run = self);
	}
	if (self->rc >= 0) {
		MAG_GROUP_BEGIN(&self->guests, .policy = MAG_COLLECT);
		self->site->guests = &self->guests;
		MAG_GROUP_BEGIN(&self->doors, .policy = MAG_COLLECT);
		for (self->i = 0; self->i < self->n && self->rc >= 0; self->i++)
			MAG_SPAWN_ON(self->rc, self->i, &self->doors, serve_door, .site = self->site,
				     .listener = self->listeners[self->i]);
		if (self->rc >= 0)
			self->rc = tell_ready(self);
		while (self->rc >= 0) {
			MAG_AWAIT(self->rc, mag_poll, self->stop, POLLIN);
			if (!may_pass(self->rc)) {
				if (self->site->stopping)
					self->site->stopping(self->site);
				break;
			}
			MAG_AWAIT(self->waste, mag_sleep, DOOR_WAIT_MIN_MS * MAG_MILLISECOND);
			self->rc = 0;
		}
		mag_group_cancel(&self->doors);
		MAG_GROUP_END(self->waste, &self->doors);
		/* what still comes is refused by the kernel while the last requests are answered */
		for (self->i = self->site->listener >= 0; self->i < self->n; self->i++)
			MAG_AWAIT(self->waste, mag_close, self->listeners[self->i]);
		self->n = self->site->listener >= 0;
		mag_group_cancel(&self->guests);
		MAG_GROUP_END(self->waste, &self->guests);
	}
	for (self->i = self->site->listener >= 0; self->i < self->n; self->i++)
		MAG_AWAIT(self->waste, mag_close, self->listeners[self->i]);
	if (self->site->listener >= 0 && self->n)
		mag_fd_release(self->listeners[0]);
	if (self->site->root_fd.generation)
		MAG_AWAIT(self->waste, mag_close, self->site->root_fd);
	mag_fd_release(self->stop);
	clean_up(self->site);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}
