/* SPDX-License-Identifier: MIT */
/* 19_pipeline.c - stages with several workers each, queues in between. Each stage ends when its input is closed and
 * empty, and closes its output then; so closing the first queue ends all of it, whatever is under way. A stage that
 * fails closes its input, too, so that those before it stop; what nobody took is given back. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { ITEMS = 200, CAPACITY = 8, STAGES = 3, WORKERS_MAX = 4 };

struct item {
	int number;
	int64_t value;
};

/* One step on one item: 0, or an error, which ends the pipeline. */
typedef int (*step_fn)(struct item *item);

static int square(struct item *item)
{
	item->value = (int64_t)item->number * item->number;
	return 0;
}

static int halve(struct item *item)
{
	item->value /= 2;
	return 0;
}

static int refuse_77(struct item *item)
{
	return item->number == 77 ? -EILSEQ : 0;
}

/* What became of the items; each task that counts has one of its own. */
struct book {
	int made, done, refused, given_back;
	int64_t sum;
};

static void add(struct book *to, const struct book *b)
{
	to->made += b->made;
	to->done += b->done;
	to->refused += b->refused;
	to->given_back += b->given_back;
	to->sum += b->sum;
}

/* A worker: pops, does its step, pushes, until there is no more. */

struct worker {
	mag_frame frame;
	MAG_ARGS(worker, mag_queue *in; mag_queue *out; step_fn step; struct book *book;);
	struct item item;
	int64_t rc;
};

MAG_TASK(worker)
{
	MAG_BEGIN(worker);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->in, &self->item);
		if (self->rc < 0)
			break;
		self->rc = self->step(&self->item);
		if (self->rc == 0) {
			MAG_AWAIT(self->rc, mag_queue_push, self->out, &self->item);
		}
		if (self->rc < 0) { /* this one goes no further */
			self->book->refused++;
			MAG_RETURN(self->rc);
		}
	}
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

static void give_back(void *arg, void *element)
{
	(void)element;
	((struct book *)arg)->given_back++;
}

/* A stage: `workers` of them on the same two queues. */

struct stage {
	mag_frame frame;
	MAG_ARGS(stage, mag_queue *in; mag_queue *out; step_fn step; int workers; struct book *book;);
	mag_group group;
	struct book books[WORKERS_MAX];
	int64_t rc;
	int i;
};

MAG_TASK(stage)
{
	MAG_BEGIN(stage);
	MAG_GROUP_BEGIN(&self->group); /* fails fast: the first error cancels the other workers */
	for (self->i = 0; self->i < self->workers; self->i++) {
		self->books[self->i] = (struct book){ 0 };
		MAG_SPAWN(self->rc, &self->group, worker, .in = self->in, .out = self->out, .step = self->step,
			  .book = &self->books[self->i]);
	}
	MAG_GROUP_END(self->rc, &self->group);
	mag_group_clear(&self->group);
	for (self->i = 0; self->i < self->workers; self->i++)
		add(self->book, &self->books[self->i]);
	mag_queue_drain(self->in, give_back, self->book); /* nothing is left, unless the stage failed */
	mag_queue_close(self->out);                       /* there will be no more */
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc); /* those behind have failed, not this one */
	MAG_END;
}

struct source {
	mag_frame frame;
	MAG_ARGS(source, mag_queue *out; struct book *book;);
	struct item item;
	int64_t rc;
};

MAG_TASK(source)
{
	MAG_BEGIN(source);
	for (self->item = (struct item){ 1, 0 }; self->item.number <= ITEMS; self->item.number++) {
		MAG_AWAIT(self->rc, mag_queue_push, self->out, &self->item); /* waits for those behind */
		if (self->rc < 0)
			break;
		self->book->made++;
	}
	mag_queue_close(self->out);
	MAG_RETURN(0);
	MAG_END;
}

struct sink {
	mag_frame frame;
	MAG_ARGS(sink, mag_queue *in; struct book *book;);
	struct item item;
	int64_t rc;
};

MAG_TASK(sink)
{
	MAG_BEGIN(sink);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->in, &self->item);
		if (self->rc < 0)
			break;
		self->book->sum += self->item.value;
		self->book->done++;
	}
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct pipeline {
	mag_frame frame;
	MAG_ARGS(pipeline, step_fn steps[STAGES]; struct book *book;);
	mag_queue queue[STAGES + 1];
	struct book books[STAGES + 2];
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(pipeline)
{
	static const int workers[STAGES] = { 3, 2, 1 };

	MAG_BEGIN(pipeline);
	for (self->i = 0; self->i <= STAGES; self->i++) {
		self->rc = mag_queue_init(&self->queue[self->i], CAPACITY, sizeof(struct item));
		if (self->rc < 0)
			goto fini;
	}
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT); /* a stage that fails ends the others by its queues */
	for (self->i = 0; self->i < STAGES + 2; self->i++)
		self->books[self->i] = (struct book){ 0 };
	MAG_SPAWN(self->rc, &self->group, source, .out = &self->queue[0], .book = &self->books[STAGES]);
	for (self->i = 0; self->i < STAGES; self->i++)
		MAG_SPAWN(self->rc, &self->group, stage, .in = &self->queue[self->i], .out = &self->queue[self->i + 1],
			  .step = self->steps[self->i], .workers = workers[self->i], .book = &self->books[self->i]);
	MAG_SPAWN(self->rc, &self->group, sink, .in = &self->queue[STAGES], .book = &self->books[STAGES + 1]);
	MAG_GROUP_END(self->rc, &self->group);
	self->rc = mag_group_errors(&self->group, NULL) ? -EILSEQ : 0;
	mag_group_clear(&self->group);
	for (self->i = 0; self->i < STAGES + 2; self->i++)
		add(self->book, &self->books[self->i]);
	self->i = STAGES + 1;
fini:
	while (self->i > 0)
		mag_queue_fini(&self->queue[--self->i]);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	struct book good = { 0 }, bad = { 0 };
	int64_t rc = mag_run(NULL, pipeline, .steps = { square, halve, halve }, .book = &good), want = 0;

	for (int64_t i = 1; i <= ITEMS; i++)
		want += i * i / 2 / 2;
	printf("all of it: %d made, %d done, their sum is %lld\n", good.made, good.done, (long long)good.sum);
	if (rc < 0 || good.done != ITEMS || good.sum != want) {
		fprintf(stderr, "19_pipeline: %s %s\n", mag_strerror(rc), mag_runtime_why());
		return 1;
	}
	rc = mag_run(NULL, pipeline, .steps = { square, refuse_77, halve }, .book = &bad);
	printf("one is refused: it ends with %s, and each one made is done, refused or given back\n", mag_errname(rc));
	if (rc != -EILSEQ || bad.made != bad.done + bad.refused + bad.given_back) {
		fprintf(stderr, "19_pipeline: %s, %d made, %d done, %d refused, %d given back\n", mag_errname(rc),
			bad.made, bad.done, bad.refused, bad.given_back);
		return 1;
	}
	return 0;
}
