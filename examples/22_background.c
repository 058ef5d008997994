/* SPDX-License-Identifier: MIT */
/* 22_background.c - tasks that nobody waits for: they have names, what goes wrong is told, some are started again, and all are
 * awaited at the end. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>

struct service {
	struct mag_background background;
	int connects, ticks, told, given_up;
};

/* Loses its connection twice, then holds. */
struct link {
	mag_frame frame;
	MAG_ARGS(link, struct service *service;);
	int64_t rc;
};

MAG_TASK(link)
{
	MAG_BEGIN(link);
	if (++self->service->connects <= 2) {
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		MAG_RETURN(-ECONNRESET);
	}
	MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	MAG_RETURN(self->rc); /* cancelled: it is not told of, and it is not started again */
	MAG_END;
}

struct ticker {
	mag_frame frame;
	MAG_ARGS(ticker, struct service *service;);
	int64_t rc;
};

MAG_TASK(ticker)
{
	MAG_BEGIN(ticker);
	do {
		self->service->ticks++;
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	} while (self->rc == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Never works: starting it again does not help. */
struct broken {
	mag_frame frame;
	MAG_ARGS(broken, const char *path;);
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(broken)
{
	MAG_BEGIN(broken);
	MAG_AWAIT(self->rc, mag_open, self->path, O_RDONLY, 0, &self->fd);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void failed(void *ctx, const struct mag_background_failure *f)
{
	struct service *service = ctx;

	service->told++;
	service->given_up += f->given_up;
	printf("%s: %s in line %d, %s\n", f->name, mag_errname(f->code), f->site ? f->site->line : 0,
	       f->again ? "once more" : f->given_up ? "given up" : "that was it");
}

#define TASK(...) \
	(&(struct mag_background_task){ .size = sizeof(struct mag_background_task), .delay_ns = MAG_MILLISECOND, __VA_ARGS__ })

static bool start_all(struct service *s)
{
	const struct mag_background_options options = { .size = sizeof(options), .failed = failed, .ctx = s };

	return mag_background_init(&s->background, NULL, &options) == 0 &&
	       mag_background_start(&s->background, TASK(.name = "link", .restart = MAG_RESTART_ON_FAILURE), link,
				    .service = s) > 0 &&
	       mag_background_start(&s->background, TASK(.name = "ticker"), ticker, .service = s) > 0 &&
	       mag_background_start(&s->background, TASK(.name = "broken", .restart = MAG_RESTART_ALWAYS, .restarts_max = 3),
				    broken, .path = "/nonexistent/file") > 0;
}

static void list(struct service *s)
{
	static const char *const states[] = { "runs", "waits to be started again", "ends" };
	struct mag_background_info info[4];
	size_t n = mag_background_list(&s->background, info, 4);

	for (size_t i = 0; i < n; i++)
		printf("  %s %s, started again %u times\n", info[i].name, states[info[i].state], info[i].restarts);
}

struct serve {
	mag_frame frame;
	MAG_NO_ARGS(serve);
	struct service service;
	struct mag_background_stats stats;
	int64_t rc;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	memset(&self->service, 0, sizeof(self->service));
	if (!start_all(&self->service))
		MAG_RETURN(-EPROTO);
	do { /* until the link holds and the broken one is given up */
		MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	} while (self->service.connects < 3 || !self->service.given_up);
	list(&self->service);
	mag_background_stop(&self->service.background);
	MAG_AWAIT(self->rc, mag_background_wait, &self->service.background);
	mag_background_stats(&self->service.background, &self->stats);
	printf("started %d, ended %d; %d failures, %d restarts, %d given up\n", (int)self->stats.started,
	       (int)self->stats.ended, (int)self->stats.failures, (int)self->stats.restarts, (int)self->stats.given_up);
	if (mag_background_fini(&self->service.background) < 0 || self->stats.started != self->stats.ended)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(self->service.told == 6 && self->service.ticks > 0 && self->stats.restarts == 5 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, serve);

	if (rc < 0)
		fprintf(stderr, "22_background: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
