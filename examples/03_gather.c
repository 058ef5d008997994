/* SPDX-License-Identifier: MIT */
/* 03_gather.c - many at once, results in the order of the arguments: asyncio.gather, Promise.all. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>

enum { PAGES = 4 };

/* Stands for a download: the shorter the address, the faster, by far; the result is its length. */
static uint64_t takes_ns(const char *url)
{
	return strlen(url) * strlen(url) * MAG_MILLISECOND / 2;
}

struct fetch {
	mag_frame frame;
	MAG_ARGS(fetch, const char *url;);
	int64_t rc;
};

MAG_TASK(fetch)
{
	MAG_BEGIN(fetch);
	MAG_AWAIT(self->rc, mag_sleep, takes_ns(self->url));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_RETURN(strcmp(self->url, "missing") ? (int64_t)strlen(self->url) : -ENOENT);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_gather pages;
	int64_t results[PAGES];
	int64_t rc, failed;
	int i;
};

MAG_TASK(program)
{
	static const char *const urls[PAGES] = { "a-rather-long-one", "short", "a-medium-one", "x" };
	static const char *const broken[PAGES] = { "x", "missing", "a-page-that-takes-long", "another-one-of-these" };

	MAG_BEGIN(program);
	/* one function over many arguments, in one line */
	MAG_GATHER_EACH(self->rc, &self->pages, self->results, PAGES, self->i, fetch, .url = urls[self->i]);
	for (int i = 0; i < PAGES; i++) {
		printf("%s: %lld\n", urls[i], (long long)self->results[i]);
		if (self->rc < 0 || self->results[i] != (int64_t)strlen(urls[i]))
			MAG_RETURN(-EPROTO);
	}

	/* the same in three steps: with a limit, and any functions. The first error cancels the rest */
	MAG_GATHER_BEGIN(&self->pages, self->results, PAGES, .limit = 3);
	for (self->i = 0; self->i < PAGES; self->i++)
		MAG_GATHER_ADD(self->rc, &self->pages, fetch, .url = broken[self->i]);
	MAG_GATHER_END(self->failed, &self->pages);
	printf("with a missing page: %s\n", mag_errname(self->failed));
	for (int i = 0; i < PAGES; i++)
		printf("  %s: %s\n", broken[i], mag_errname(self->results[i]));
	MAG_RETURN(self->failed == -ENOENT && self->results[0] == 1 && self->results[2] == MAG_ECANCELED ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "03_gather: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
