/* SPDX-License-Identifier: MIT */
/* admit.c - what a request waits for before it begins: a place among those to its host, one among all, and the address.
 * Mostly all of it is there at once. */
#include <errno.h>

#include "http_client/exchange.h"

const char *magi_client_name_of(const struct magi_client_exchange *x, uint16_t *port)
{
	const struct magi_client_hub *hub = x->call->hub;

	if (hub->proxy_host[0]) {
		*port = hub->proxy_port;
		return hub->proxy_literal ? NULL : hub->proxy_host;
	}
	*port = x->url->port;
	return x->url->literal ? NULL : x->url->host;
}

int magi_client_admit_now(struct magi_client_exchange *x)
{
	struct magi_client_hub *hub = x->call->hub;
	const char *name;
	uint16_t port;

	x->placed = x->permitted = false;
	x->name = NULL;
	x->host = magi_client_host_enter(hub, x->url->origin);
	if (!x->host)
		return -ENOMEM;
	x->placed = mag_semaphore_try_acquire(&x->host->places, 1) == 0;
	x->permitted = x->placed && mag_semaphore_try_acquire(&hub->total, 1) == 0;
	if (!x->permitted)
		return -EAGAIN;
	name = magi_client_name_of(x, &port);
	if (name)
		x->name = magi_client_name_known(x->lane, name, port);
	if (x->name)
		x->call->timing.name = mag_now() - x->start;
	return name && !x->name ? -EAGAIN : 0;
}

void magi_client_dismiss(struct magi_client_exchange *x)
{
	if (x->permitted)
		mag_semaphore_release(&x->call->hub->total, 1);
	if (x->host)
		magi_client_host_leave(x->call->hub, x->host, x->placed);
	x->permitted = x->placed = false;
	x->host = NULL;
}

struct magi_client_find {
	mag_frame frame;
	MAG_ARGS(magi_client_find, struct magi_client_exchange *x;);
	int64_t rc;
};

MAG_TASK(magi_client_find)
{
	uint16_t port;
	const char *name;

	MAG_BEGIN(magi_client_find);
	name = magi_client_name_of(self->x, &port);
	if (!name)
		MAG_RETURN(0);
	MAG_CALL(self->rc, magi_client_lookup, .lane = self->x->lane, .host = name, .port = port,
		 .name = &self->x->name);
	if (self->rc < 0 && self->rc != MAG_ECANCELED)
		magi_client_fail(self->x->call, self->rc == MAG_ERESOLVE ? MAG_HTTP_DNS : MAG_HTTP_MEMORY, self->rc,
				 NULL);
	if (self->rc > 0)
		self->x->call->timing.name = mag_now() - self->x->start;
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

/* The host's place first: who waits for a busy host must not hold one of the few places there are in all. */
MAG_TASK(magi_client_admit)
{
	MAG_BEGIN(magi_client_admit);
	self->rc = 0;
	if (!self->x->placed) {
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->x->host->places, 1);
		self->x->placed = self->rc == 0;
	}
	if (self->rc == 0 && !self->x->permitted) {
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->x->call->hub->total, 1);
		self->x->permitted = self->rc == 0;
	}
	if (self->rc == 0 && !self->x->lane->stopping)
		MAG_CALL(self->rc, magi_client_find, .x = self->x);
	MAG_RETURN(self->rc);
	MAG_END;
}
