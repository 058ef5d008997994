/* SPDX-License-Identifier: MIT */
/* demo_load.c - the demo's server under the load of `magpie load`, whose clients run in the same runtime. */
#include "demo.h"

#include <magpie/poll.h>
#include <magpie/time.h>
#include <stdio.h>

#define CLIENTS 64
#define LOAD_NS (5 * MAG_SECOND)

/* Ends the load when a signal comes. */
struct demo_watch {
	mag_frame frame;
	MAG_ARGS(demo_watch, struct demo *demo; mag_group * group;);
	mag_fd fd;
	int64_t rc;
};

static MAG_TASK(demo_watch)
{
	MAG_BEGIN(demo_watch);
	self->rc = mag_fd_adopt(self->demo->signals, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_poll, self->fd, POLLIN);
	if (self->rc > 0)
		mag_group_cancel(self->group);
	mag_fd_release(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

static int64_t prepare(struct demo_load *l)
{
	static const struct load_asked get = { 0 };
	struct demo *d = l->demo;
	char text[MAG_ADDR_TEXT_MAX];
	int64_t rc = mag_addr_format(&d->addr, text, sizeof text);

	if (rc < 0)
		return rc;
	if (load_url_read(&l->url, text))
		return -EINVAL;
	d->load.plan = (struct load_plan){ .host = l->url.host,
					   .port = l->url.port,
					   .request = &l->request,
					   .connections = CLIENTS,
					   .duration_ns = LOAD_NS,
					   .timeout_ns = LOAD_NS };
	d->load.user = d;
	d->load.ticked = d->live ? demo_print_live : NULL;
	return load_request_make(&l->request, &l->url, &get);
}

MAG_TASK(demo_load)
{
	MAG_BEGIN(demo_load);
	self->rc = prepare(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, demo_watch, .demo = self->demo, .group = &self->group);
	if (self->rc >= 0)
		MAG_CALL(self->rc, load_run, .load = &self->demo->load);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	load_request_free(&self->request);
	if (self->demo->live)
		fputs("\r\033[K", stdout);
	MAG_RETURN(self->rc);
	MAG_END;
}
