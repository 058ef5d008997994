/* SPDX-License-Identifier: MIT */
/* load_run.c - a load from beginning to end: the name, one connection as a trial, all connections, the start, the
 * end. */
#include <errno.h>
#include <magpie/resolve.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <string.h>

#include "load_conn.h"
#include "load_meter.h"
#include "load_pace.h"

#define CONNECT_NS (5 * MAG_SECOND) /* how long the start waits for connections at most */
#define ADDRESSES 8

/* Finds the first address of the host that takes a connection: it is better to know at once when none does. */
struct load_find {
	mag_frame frame;
	MAG_ARGS(load_find, struct load *load;);
	mag_addr addrs[ADDRESSES];
	mag_scope scope;
	struct load_wire wire;
	int64_t n, i, rc, waste;
};

static MAG_TASK(load_find)
{
	MAG_BEGIN(load_find);
	self->load->failed = "resolve";
	MAG_WITH_TIMEOUT(&self->scope, self->load->plan.timeout_ns);
	MAG_CALL(self->n, mag_resolve, .name = self->load->plan.host, .service = self->load->plan.port,
		 .addrs = self->addrs, .max = ADDRESSES);
	MAG_SCOPE_END(self->rc, &self->scope);
	if (self->n < 0)
		MAG_RETURN(self->n == MAG_ECANCELED && self->rc < 0 ? self->rc : self->n);
	self->load->failed = "connect to";
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_CALL(self->rc, load_wire_open, .wire = &self->wire, .addr = &self->addrs[self->i],
			 .timeout_ns = self->load->plan.timeout_ns, .tls = self->load->plan.tls,
			 .host = self->load->plan.host);
		if (self->rc >= 0 || self->rc == MAG_ECANCELED)
			break;
	}
	if (self->rc >= 0)
		self->load->addr = self->addrs[self->i];
	else
		memcpy(self->load->why, self->wire.why, sizeof self->load->why);
	MAG_CALL(self->waste, load_wire_close, .wire = &self->wire);
	MAG_RETURN(self->rc);
	MAG_END;
}

static int make_worker(struct load *load, uint32_t i)
{
	struct load_worker *at = &load->workers[i];
	uint32_t n = load->worker_count;

	at->load = load;
	at->index = i;
	at->connections = (load->plan.connections + n - 1 - i) / n;
	at->left = load->plan.requests ? (load->plan.requests + n - 1 - i) / n : UINT64_MAX;
	at->watches = calloc(at->connections, sizeof *at->watches);
	mag_semaphore_init(&at->tickets, 0, MAG_SEMAPHORE_MAX);
	return at->watches ? 0 : -ENOMEM;
}

static int prepare(struct load *load)
{
	uint32_t n = mag_runtime_workers(mag_runtime_current());
	size_t size;
	int rc;

	load->failed = "begin";
	if (load->plan.requests && load->plan.connections > load->plan.requests)
		load->plan.connections = (uint32_t)load->plan.requests;
	load->worker_count = n < load->plan.connections ? n : load->plan.connections;
	size = load->worker_count * sizeof *load->workers;
	load->workers = aligned_alloc(_Alignof(struct load_worker), size);
	if (!load->workers)
		return -ENOMEM;
	memset(load->workers, 0, size);
	load->stop_at = MAG_NEVER / 2; /* sums do not wrap */
	mag_semaphore_init(&load->connected, 0, MAG_SEMAPHORE_MAX);
	mag_event_init(&load->go);
	for (uint32_t i = 0; i < load->worker_count; i++) {
		rc = make_worker(load, i);
		if (rc < 0)
			return rc;
	}
	return load_meter_init(load);
}

static void begin(struct load *load, struct load_self *before)
{
	load_self_read(before);
	load->start = mag_now();
	if (load->plan.duration_ns)
		load->stop_at = load->start + load->plan.duration_ns;
	mag_event_set(&load->go);
	if (load->begun)
		load->begun(load);
}

/* Nobody counts any more. */
static void end(struct load *load, const struct load_self *before)
{
	uint64_t now = mag_now();

	load_self_read(&load->self);
	load->self.cpu_ns -= before->cpu_ns;
	load->self.wait_ns -= load->self.wait_ns < before->wait_ns ? load->self.wait_ns : before->wait_ns;
	load->elapsed_ns = now - load->start;
	load->window_ns = (now < load->stop_at ? now : load->stop_at) - load->start;
	for (uint32_t i = 0; i < load->worker_count; i++)
		load->unsent += load->workers[i].due - load->workers[i].taken;
	load_meter_end(load, now);
}

/* The connections, and once they are made or have failed, the load. */
struct load_drive {
	mag_frame frame;
	MAG_ARGS(load_drive, struct load *load; mag_group * helpers; struct load_self * before;);
	mag_group group;
	uint32_t i, j;
	int64_t rc, waste;
};

static MAG_TASK(load_drive)
{
	MAG_BEGIN(load_drive);
	MAG_GROUP_BEGIN(&self->group);
	for (self->j = 0, self->rc = 0; self->rc >= 0 && self->j < self->load->workers[0].connections; self->j++) {
		for (self->i = 0; self->rc >= 0 && self->i < self->load->worker_count; self->i++) {
			if (self->j < self->load->workers[self->i].connections)
				MAG_SPAWN_ON(self->rc, self->i, &self->group, load_conn,
					     .at = &self->load->workers[self->i],
					     .watch = &self->load->workers[self->i].watches[self->j]);
		}
	}
	if (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->load->connected, self->load->plan.connections,
			  mag_deadline_in(CONNECT_NS));
		self->rc = self->rc == MAG_ETIMEDOUT ? 0 : self->rc;
	}
	if (self->rc >= 0) {
		begin(self->load, self->before);
		MAG_SPAWN(self->rc, self->helpers, load_metering, .load = self->load);
		for (self->i = 0; self->load->plan.rate > 0 && self->i < self->load->worker_count && self->rc >= 0;
		     self->i++)
			MAG_SPAWN_ON(self->rc, self->i, &self->group, load_pace, .at = &self->load->workers[self->i]);
	}
	if (self->rc < 0)
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(load_run)
{
	MAG_BEGIN(load_run);
	self->rc = prepare(self->load);
	if (self->rc >= 0)
		MAG_CALL(self->rc, load_find, .load = self->load);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->load->failed = "begin";
	MAG_GROUP_BEGIN(&self->helpers, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < self->load->worker_count && self->rc >= 0; self->i++)
		MAG_SPAWN_ON(self->rc, self->i, &self->helpers, load_sweep, .at = &self->load->workers[self->i]);
	if (self->rc >= 0)
		MAG_CALL(self->rc, load_drive, .load = self->load, .helpers = &self->helpers, .before = &self->before);
	mag_group_cancel(&self->helpers);
	MAG_GROUP_END(self->waste, &self->helpers);
	if (self->load->start) {
		self->load->interrupted = mag_cancel_reason(&self->frame) != 0;
		end(self->load, &self->before);
		self->load->failed = NULL;
	}
	MAG_RETURN(self->load->start ? 0 : self->rc);
	MAG_END;
}

void load_free(struct load *load)
{
	for (uint32_t i = 0; load->workers && i < load->worker_count; i++)
		free(load->workers[i].watches);
	load_meter_fini(load);
	free(load->workers);
	free(load->seconds);
	load->workers = NULL;
	load->seconds = NULL;
}
