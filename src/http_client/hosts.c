/* SPDX-License-Identifier: MIT */
/* hosts.c - so many requests at once for each host and port, over all workers. A host is known while somebody has a
 * place or waits for one. */
#include <stdlib.h>
#include <string.h>

#include "http_client/hub.h"

static struct magi_client_host **bucket_of(struct magi_client_hub *hub, const char *origin)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *c = origin; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return &hub->hosts[hash % MAGI_CLIENT_HOSTS];
}

static struct magi_client_host *create(struct magi_client_hub *hub, struct magi_client_host **bucket,
				       const char *origin)
{
	struct magi_client_host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	mag_semaphore_init(&host->places, hub->options.host_max, hub->options.host_max);
	snprintf(host->origin, sizeof(host->origin), "%s", origin);
	host->bucket = bucket;
	host->next = *bucket;
	*bucket = host;
	return host;
}

struct magi_client_host *magi_client_host_enter(struct magi_client_hub *hub, const char *origin)
{
	struct magi_client_host **bucket = bucket_of(hub, origin), *host;

	pthread_mutex_lock(&hub->hosts_lock);
	for (host = *bucket; host && strcmp(host->origin, origin); host = host->next)
		;
	if (!host)
		host = create(hub, bucket, origin);
	if (host)
		host->users++;
	pthread_mutex_unlock(&hub->hosts_lock);
	return host;
}

void magi_client_host_leave(struct magi_client_hub *hub, struct magi_client_host *host, bool placed)
{
	struct magi_client_host **at;

	if (placed)
		mag_semaphore_release(&host->places, 1);
	pthread_mutex_lock(&hub->hosts_lock);
	if (--host->users)
		host = NULL;
	for (at = host ? host->bucket : NULL; at && *at != host; at = &(*at)->next)
		;
	if (host)
		*at = host->next;
	pthread_mutex_unlock(&hub->hosts_lock);
	if (host)
		mag_semaphore_fini(&host->places);
	free(host);
}
