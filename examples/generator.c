/* SPDX-License-Identifier: MIT */
/* generator.c - a source that is asked page by page, and given up in the middle. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>

enum { PER_PAGE = 3 };

struct page {
	int number;
	int items[PER_PAGE];
};

/* Gives pages 1 … count. It holds memory while it runs and frees it on every way out. */
struct pages {
	mag_frame frame;
	MAG_ARGS(pages, int count; bool *cleaned;);
	struct page *page;
	int64_t rc;
	int i;
};

MAG_TASK(pages)
{
	MAG_BEGIN(pages);
	self->rc = 0;
	self->page = malloc(sizeof *self->page);
	if (!self->page)
		MAG_RETURN(-ENOMEM);
	for (self->i = 1; self->i <= self->count; self->i++) {
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* as if it came from far away */
		if (self->rc < 0)
			break;
		self->page->number = self->i;
		for (int k = 0; k < PER_PAGE; k++)
			self->page->items[k] = self->i * 100 + k;
		MAG_EMIT(self->rc, *self->page);
		if (self->rc < 0)
			break; /* MAG_ECANCELED: nobody wants more */
	}
	free(self->page);
	*self->cleaned = true;
	MAG_RETURN(self->rc);
	MAG_END;
}

struct reader {
	mag_frame frame;
	MAG_NO_ARGS(reader);
	mag_generator gen;
	struct page page;
	int64_t rc;
	int seen;
	bool cleaned;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	self->seen = 0;
	self->cleaned = false;
	MAG_GENERATE(self->rc, &self->gen, pages, .count = 1000, .cleaned = &self->cleaned);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	for (;;) {
		MAG_NEXT(self->rc, &self->gen, &self->page);
		if (self->rc <= 0)
			break; /* 0: the end; or the generator's error */
		printf("page %d begins with %d\n", self->page.number, self->page.items[0]);
		if (++self->seen == 4)
			break;
	}
	MAG_CLOSE(&self->gen);
	printf("read %d pages of 1000; the generator has %scleaned up\n", self->seen, self->cleaned ? "" : "not ");
	MAG_RETURN(self->seen == 4 && self->cleaned ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, reader);

	if (rc < 0)
		fprintf(stderr, "generator: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
