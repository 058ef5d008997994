/* SPDX-License-Identifier: MIT */
/* 15_semaphore.c - twenty downloads, at most three at once; and before, one that does not wait for long. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { DOWNLOADS = 20, AT_ONCE = 3 };

struct site {
	mag_semaphore places;
	mag_mutex mutex; /* guards: */
	int now, most, done;
};

/* Counts who is inside; the task that calls it holds a permit. */
struct counted {
	mag_frame frame;
	MAG_ARGS(counted, struct site *site; int by;);
	int64_t rc;
};

MAG_TASK(counted)
{
	MAG_BEGIN(counted);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->site->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->site->now += self->by;
	self->site->done += self->by < 0;
	if (self->site->now > self->site->most)
		self->site->most = self->site->now;
	mag_mutex_unlock(&self->site->mutex);
	MAG_RETURN(0);
	MAG_END;
}

struct download {
	mag_frame frame;
	MAG_ARGS(download, struct site *site;);
	int64_t rc;
};

MAG_TASK(download)
{
	MAG_BEGIN(download);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->site->places, 1);
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* cancelled: no permit is held */
	MAG_CALL(self->rc, counted, .site = self->site, .by = 1);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
	if (self->rc == 0)
		MAG_CALL(self->rc, counted, .site = self->site, .by = -1);
	mag_semaphore_release(&self->site->places, 1); /* on every way out */
	MAG_RETURN(self->rc);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	struct site site;
	mag_group group;
	int64_t rc, late;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	self->site = (struct site){ .places = MAG_SEMAPHORE_INIT(AT_ONCE, AT_ONCE), .mutex = MAG_MUTEX_INIT };
	MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->site.places, AT_ONCE); /* all of them, at once */
	MAG_AWAIT(self->late, mag_semaphore_acquire_until, &self->site.places, 1, mag_deadline_in(MAG_MILLISECOND));
	mag_semaphore_release(&self->site.places, AT_ONCE);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < DOWNLOADS; self->i++)
		MAG_SPAWN(self->rc, &self->group, download, .site = &self->site);
	MAG_GROUP_END(self->rc, &self->group);
	printf("%d downloads, %d at once at most; who would not wait: %s\n", self->site.done, self->site.most,
	       mag_errname(self->late));
	if (self->rc < 0 || self->late != MAG_ETIMEDOUT || self->site.most > AT_ONCE || self->site.done != DOWNLOADS)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(mag_semaphore_permits(&self->site.places) == AT_ONCE ? 0 : -EPROTO); /* none was lost */
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "15_semaphore: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
