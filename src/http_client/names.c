/* SPDX-License-Identifier: MIT */
/* names.c - the addresses of names, looked up before libcurl is asked to connect: it would block, at the latest when a
 * transfer is taken away from it while a lookup is under way.
 *
 * Always:  one lookup of a name at a time; who comes meanwhile waits for it. */
#include <magpie/resolve.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

static const uint64_t failed_ns = MAG_SECOND; /* for so long a name that does not exist is not looked up again */

static struct magi_client_name **find(struct magi_client_lane *lane, const char *host, uint16_t port)
{
	struct magi_client_name **at = &lane->names;

	while (*at && ((*at)->port != port || strcmp((*at)->host, host)))
		at = &(*at)->next;
	return at;
}

static void unlink_name(struct magi_client_lane *lane, struct magi_client_name **at)
{
	struct magi_client_name *name = *at;

	*at = name->next;
	lane->names_n--;
	free(name);
}

/* Forgets the one that was used least recently; false: all are being looked up. */
static bool evict(struct magi_client_lane *lane)
{
	struct magi_client_name **last = NULL;

	for (struct magi_client_name **at = &lane->names; *at; at = &(*at)->next) {
		if (!(*at)->looking && !(*at)->waiting)
			last = at;
	}
	if (last)
		unlink_name(lane, last);
	return last;
}

/* The entry of a name, which stands first from then on; NULL: no memory. */
static struct magi_client_name *entry_of(struct magi_client_lane *lane, const char *host, uint16_t port)
{
	struct magi_client_name **at = find(lane, host, port), *name = *at;

	if (name) {
		*at = name->next;
	} else {
		if (lane->names_n >= MAGI_CLIENT_NAMES_MAX && !evict(lane))
			return NULL;
		name = calloc(1, sizeof(*name));
		if (!name)
			return NULL;
		name->port = port;
		snprintf(name->host, sizeof(name->host), "%s", host);
		lane->names_n++;
	}
	name->next = lane->names;
	lane->names = name;
	return name;
}

static void looked_up(struct magi_client_lane *lane, struct magi_client_name *name, int64_t rc)
{
	name->looking = false;
	name->told = false;
	name->round++;
	name->rc = rc;
	name->until = rc > 0               ? mag_deadline_in(lane->hub->options.name_ns)
		      : rc == MAG_ERESOLVE ? mag_deadline_in(failed_ns)
					   : 0;
	mag_event_set(&name->known);
}

struct magi_client_name *magi_client_name_known(struct magi_client_lane *lane, const char *host, uint16_t port)
{
	struct magi_client_name *name = *find(lane, host, port);

	return name && !name->looking && name->rc > 0 && name->until > mag_now() ? entry_of(lane, host, port) : NULL;
}

void magi_client_name_told(const struct magi_client_exchange *x)
{
	uint16_t port;
	const char *host = magi_client_name_of(x, &port);
	struct magi_client_name *name = host ? *find(x->lane, host, port) : NULL;

	if (name && name->round == x->round) /* it was not looked up again since */
		name->told = true;
}

MAG_TASK(magi_client_lookup)
{
	MAG_BEGIN(magi_client_lookup);
	for (;;) {
		self->entry = entry_of(self->lane, self->host, self->port);
		if (!self->entry)
			MAG_RETURN(-ENOMEM);
		if (!self->entry->looking)
			break;
		self->entry->waiting++;
		MAG_AWAIT(self->rc, mag_event_wait, &self->entry->known);
		self->entry->waiting--;
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	if (self->entry->until <= mag_now()) {
		self->entry->looking = true;
		mag_event_reset(&self->entry->known);
		self->lane->stats.lookups++;
		snprintf(self->service, sizeof(self->service), "%u", self->port);
		MAG_CALL(self->rc, mag_resolve, .name = self->entry->host, .service = self->service,
			 .addrs = self->entry->addrs, .max = MAGI_CLIENT_ADDRS_MAX);
		looked_up(self->lane, self->entry, self->rc);
	}
	*self->name = self->entry;
	MAG_RETURN(self->entry->rc);
	MAG_END;
}

struct curl_slist *magi_client_name_list(const struct magi_client_name *name)
{
	/* +: libcurl forgets it again, a while after we have */
	char text[280 + MAGI_CLIENT_ADDRS_MAX * 64];
	int n = snprintf(text, sizeof(text), "+%s:%u:", name->host, name->port);

	for (int64_t i = 0; i < name->rc; i++) {
		char address[80], *end;

		if (mag_addr_format(&name->addrs[i], address, sizeof(address)) < 0)
			continue;
		end = strrchr(address, ':');
		if (end)
			*end = 0; /* the port; an IPv6 address keeps its brackets */
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i ? "," : "", address);
	}
	return curl_slist_append(NULL, text);
}

void magi_client_name_forget(struct magi_client_lane *lane, const char *host, uint16_t port)
{
	struct magi_client_name *name = *find(lane, host, port);

	if (name)
		name->until = 0;
}

void magi_client_names_free(struct magi_client_lane *lane)
{
	while (lane->names)
		unlink_name(lane, &lane->names);
}
