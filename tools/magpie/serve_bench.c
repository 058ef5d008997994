/* SPDX-License-Identifier: MIT */
/* serve_bench.c - what `magpie bench serve` measures: the tasks, parser, limits and deadlines of `magpie serve`. */
#include "serve.h"
#include "serve_site.h"

#include <magpie/poll.h>

/* Serves until a descriptor is readable. */
struct serve_until {
	mag_frame frame;
	MAG_ARGS(serve_until, struct serve_site *site; int stop_fd;);
	mag_group group;
	mag_fd stop;
	int64_t rc, end;
};

static MAG_TASK(serve_until)
{
	MAG_BEGIN(serve_until);
	self->rc = mag_fd_adopt(self->stop_fd, &self->stop);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, serve_run, .site = self->site);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_poll, self->stop, POLLIN);
	mag_shutdown_begin(self->site->down);
	MAG_GROUP_END(self->end, &self->group);
	mag_fd_release(self->stop);
	MAG_RETURN(self->end < 0 ? self->end : self->rc < 0 ? self->rc : 0);
	MAG_END;
}

int64_t bench_serve_what(const mag_runtime_options *options, const struct bench_serve_what *what, int listen_fd,
			 int stop_fd)
{
	struct mag_shutdown down;
	struct serve_site site = { .listener = listen_fd,
				   .down = &down,
				   .root = what->root,
				   .tls = { .cert = what->certificate, .key = what->key } };

	mag_shutdown_init(&down, NULL);
	return mag_run(options, serve_until, .site = &site, .stop_fd = stop_fd);
}
