/* SPDX-License-Identifier: MIT */
/* 12_pages.c - a source that gives page after page and holds a session meanwhile. Whoever reads sees entries, not pages, and
 * stops when it has enough; only one page is in memory. docs/cookbook/12-paginated-source.md tells about it. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { PER_PAGE = 50, PAGES = 2000, WANTED = 3, SLACK = 1 << 20 /* frames come in steps of so many bytes */ };

struct entry {
	int id;
	int size;
};

/* What stands for a connection: it is counted. */
struct server {
	int sessions, most, pages;
};

/* Gives all entries of the server. The session is there from the first request to the end, whatever that is. */
struct entries {
	mag_frame frame;
	MAG_ARGS(entries, struct server *server;);
	struct entry page[PER_PAGE];
	int64_t rc;
	int number, i;
};

static void fetch(struct server *server, int number, struct entry *page)
{
	server->pages++;
	for (int i = 0; i < PER_PAGE; i++)
		page[i] = (struct entry){ .id = number * PER_PAGE + i, .size = (number * 37 + i * 11) % 500 };
}

MAG_TASK(entries)
{
	MAG_BEGIN(entries);
	self->server->sessions++;
	self->rc = 0;
	for (self->number = 0; self->number < PAGES && self->rc == 0; self->number++) {
		MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MICROSECOND); /* as if it came from far away */
		if (self->rc < 0)
			break;
		fetch(self->server, self->number, self->page);
		for (self->i = 0; self->i < PER_PAGE && self->rc == 0; self->i++)
			MAG_EMIT(self->rc, self->page[self->i]);
	}
	self->server->sessions--;
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

static bool is_large(void *ctx, const void *item)
{
	(void)ctx;
	return ((const struct entry *)item)->size >= 495;
}

static int add_size(void *ctx, const void *item)
{
	*(int64_t *)ctx += ((const struct entry *)item)->size;
	return 0;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	struct server server;
	mag_stream_generator source;
	mag_stream_filter large;
	struct entry entry;
	mag_stats before, after;
	int64_t rc, sum;
	int found;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->server = (struct server){ 0 };
	self->found = 0;

	/* the first few large ones: the rest is never asked for */
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(struct entry), entries, .server = &self->server);
	mag_stream_filter_init(&self->large, &self->source.stream, is_large, NULL);
	while (self->rc >= 0 && self->found < WANTED) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->large.stream, &self->entry);
		if (self->rc <= 0)
			break;
		printf("entry %d has %d bytes\n", self->entry.id, self->entry.size);
		self->found++;
	}
	MAG_AWAIT(self->rc, mag_stream_close, &self->large.stream);
	printf("read %d of %d pages, %d sessions left\n", self->server.pages, PAGES, self->server.sessions);
	if (self->found != WANTED || self->server.pages >= PAGES / 10 || self->server.sessions)
		MAG_RETURN(-EPROTO);

	/* all of them: memory stays as it is */
	self->before.size = self->after.size = sizeof(mag_stats);
	self->sum = 0;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(struct entry), entries, .server = &self->server);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	mag_runtime_stats(mag_runtime_current(), &self->before);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->source.stream, .fold = add_size, .ctx = &self->sum);
	mag_runtime_stats(mag_runtime_current(), &self->after);
	printf("%lld entries have %lld bytes; frames took %lld bytes more\n", (long long)self->rc, (long long)self->sum,
	       (long long)(self->after.bytes - self->before.bytes));
	if (self->rc != PAGES * PER_PAGE || self->server.sessions)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(self->after.bytes <= self->before.bytes + SLACK ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "12_pages: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
