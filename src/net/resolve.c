/* SPDX-License-Identifier: MIT */
/* resolve.c - names as addresses.
 *
 * What:    getaddrinfo on a thread of the blocking lane, whose answer is copied out of memory that the task and the job
 *          share: when the task is cancelled it goes, and the job's end frees it.
 * Who:     the task; the job's thread.
 * Always:  the task and the job hold a reference each; who drops the last one frees.
 * Pairs:   [lookup] a reference is dropped by a read-modify-write (acquire, release): who frees sees that the other is
 *          done */
#include <errno.h>
#include <magpie/offload.h>
#include <magpie/resolve.h>
#include <magpie/tcp.h>
#include <magpie/time.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sys.h"
#include "net/net.h"

enum { SERVICE_MAX = 64 };

struct magi_lookup {
	uint32_t refs; /* atomic */
	int family;
	uint32_t max;
	uint32_t count;
	char name[MAG_NAME_MAX + 1];
	char service[SERVICE_MAX];
	mag_addr addrs[];
};

static void drop(void *arg)
{
	struct magi_lookup *l = arg;

	if (magi_sub_ar(&l->refs, 1u) == 1) /* [lookup] */
		magi_free(l);
}

static bool have(const struct magi_lookup *l, const mag_addr *addr)
{
	for (uint32_t i = 0; i < l->count; i++) {
		if (mag_addr_equal(&l->addrs[i], addr))
			return true;
	}
	return false;
}

/* The job. */
static int64_t look_up(void *arg)
{
	struct magi_lookup *l = arg;
	struct addrinfo hints = { .ai_family = l->family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int rc = magi_sys_getaddrinfo(l->name, l->service[0] ? l->service : NULL, &hints, &list);

	if (rc < 0)
		return rc;
	for (struct addrinfo *ai = list; ai && l->count < l->max; ai = ai->ai_next) {
		mag_addr *addr = &l->addrs[l->count];

		if (ai->ai_addrlen > sizeof(addr->storage))
			continue;
		memset(addr, 0, sizeof(*addr));
		memcpy(&addr->storage, ai->ai_addr, ai->ai_addrlen);
		addr->len = ai->ai_addrlen;
		if (!have(l, addr))
			l->count++;
	}
	magi_sys_freeaddrinfo(list);
	return l->count ? (int64_t)l->count : MAG_ERESOLVE;
}

/* A port in numbers, 0 for none, or -1. */
static int port_of(const char *service)
{
	int port = 0;

	if (!service)
		return 0;
	if (!*service || strlen(service) > 5)
		return -1;
	for (; *service; service++) {
		if (*service < '0' || *service > '9')
			return -1;
		port = port * 10 + (*service - '0');
	}
	return port <= UINT16_MAX ? port : -1;
}

/* 1: the name is an address in numbers, which is there now. 0: it must be looked up. */
static int64_t literal(const struct mag_resolve *self)
{
	int port = port_of(self->service);
	mag_addr addr;

	if (port < 0 || magi_addr_parse_host(&addr, self->name) < 0)
		return 0;
	if (self->family != AF_UNSPEC && self->family != addr.storage.ss_family)
		return MAG_ERESOLVE;
	mag_addr_set_port(&addr, (uint16_t)port);
	self->addrs[0] = addr;
	return 1;
}

static int64_t check(const struct mag_resolve *self)
{
	if (!self->name || !*self->name || !self->addrs || !self->max)
		return -EINVAL;
	if (self->family != AF_UNSPEC && self->family != AF_INET && self->family != AF_INET6)
		return -EINVAL;
	if (strlen(self->name) > MAG_NAME_MAX)
		return MAG_ETOOLONG;
	if (self->service && strlen(self->service) >= SERVICE_MAX)
		return MAG_ERESOLVE;
	return 0;
}

static struct magi_lookup *prepare(const struct mag_resolve *self)
{
	uint32_t max = self->max < MAG_RESOLVE_MAX ? self->max : MAG_RESOLVE_MAX;
	struct magi_lookup *l = magi_zalloc(sizeof(*l) + max * sizeof(l->addrs[0]));

	if (!l)
		return NULL;
	l->refs = 2;
	l->family = self->family;
	l->max = max;
	strcpy(l->name, self->name);
	if (self->service)
		strcpy(l->service, self->service);
	return l;
}

MAG_TASK(mag_resolve)
{
	MAG_BEGIN(mag_resolve);
	self->rc = check(self);
	if (self->rc == 0)
		self->rc = literal(self);
	if (self->rc)
		MAG_RETURN(self->rc);
	self->lookup = prepare(self);
	if (!self->lookup)
		MAG_RETURN(-ENOMEM);
	MAG_AWAIT(self->rc, mag_offload_owned, MAG_BLOCKING | MAG_KIND_RESOLVE, look_up, self->lookup, drop);
	if (self->rc > 0)
		memcpy(self->addrs, self->lookup->addrs, (size_t)self->rc * sizeof(self->addrs[0]));
	drop(self->lookup);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Names to connections. */

enum { EACH_S = 5 };

MAG_TASK(mag_tcp_dial)
{
	MAG_BEGIN(mag_tcp_dial);
	if (!self->fd)
		MAG_RETURN(-EINVAL);
	*self->fd = MAG_FD_NONE;
	MAG_CALL(self->count, mag_resolve, .name = self->host, .service = self->service, .addrs = self->addrs,
		 .max = MAG_TCP_DIAL_ADDRS);
	self->rc = self->count;
	for (self->i = 0; self->i < self->count; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, self->each_ns ? self->each_ns : EACH_S * MAG_SECOND);
		MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addrs[self->i], .fd = self->fd,
			 .options = self->options);
		MAG_SCOPE_END(self->timed, &self->scope);
		if (self->rc == MAG_ECANCELED && self->timed == MAG_ETIMEDOUT)
			self->rc = MAG_ETIMEDOUT; /* that address's own time is over */
		if (self->rc >= 0 || self->rc == MAG_ECANCELED || self->rc == -EINVAL)
			break;
	}
	MAG_RETURN(self->rc);
	MAG_END;
}
