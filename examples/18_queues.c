/* SPDX-License-Identifier: MIT */
/* 18_queues.c - tasks that hand things to one another: a bounded queue that holds back who is too fast, waiting for all
 * that was asked for, other orders than that of arrival, and the three for one value, the latest value, and each value
 * to all. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* Ends a task with where a check failed. */
#define CHECK(condition)                                                             \
	do {                                                                         \
		if (!(condition)) {                                                  \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);      \
			MAG_RETURN(-EPROTO);                                         \
		}                                                                    \
	} while (0)

/* Back-pressure and join: who is too fast waits for room; at the end, until all is done. */

enum { CAPACITY = 4, JOBS = 100, WORKERS = 3 };

struct worker {
	mag_frame frame;
	MAG_ARGS(worker, mag_queue *jobs; int *done;); /* its own count */
	int job;
	int64_t rc;
};

MAG_TASK(worker)
{
	MAG_BEGIN(worker);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->jobs, &self->job);
		if (self->rc < 0)
			break;
		MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_MICROSECOND); /* the work */
		++*self->done;
		mag_queue_task_done(self->jobs);
	}
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc); /* closed and empty: the regular end */
	MAG_END;
}

struct bounded {
	mag_frame frame;
	MAG_NO_ARGS(bounded);
	mag_queue jobs;
	mag_group workers;
	int64_t rc;
	int i, done[WORKERS], most;
};

MAG_TASK(bounded)
{
	int length;

	MAG_BEGIN(bounded);
	self->most = 0;
	CHECK(mag_queue_init(&self->jobs, CAPACITY, sizeof(int)) == 0);
	MAG_GROUP_BEGIN(&self->workers);
	for (self->i = 0; self->i < WORKERS; self->i++) {
		self->done[self->i] = 0;
		MAG_SPAWN(self->rc, &self->workers, worker, .jobs = &self->jobs, .done = &self->done[self->i]);
	}
	for (self->i = 1; self->i <= JOBS; self->i++) {
		MAG_AWAIT(self->rc, mag_queue_push, &self->jobs, &self->i); /* waits while the queue is full */
		CHECK(self->rc == 0);
		length = (int)mag_queue_length(&self->jobs);
		if (length > self->most)
			self->most = length;
	}
	MAG_AWAIT(self->rc, mag_queue_join, &self->jobs); /* all that was pushed is done, not only popped */
	CHECK(self->rc == 0 && self->done[0] + self->done[1] + self->done[2] == JOBS);
	mag_queue_close(&self->jobs); /* ends all workers, however many there are */
	MAG_GROUP_END(self->rc, &self->workers);
	CHECK(self->rc == 0 && self->most <= CAPACITY);
	CHECK(mag_queue_fini(&self->jobs) == 0);
	printf("bounded: %d jobs done, never more than %d of them in the queue\n", JOBS, CAPACITY);
	MAG_RETURN(0);
	MAG_END;
}

/* Orders. */

struct job {
	int urgency;
	char name;
};

static int more_urgent(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return y->urgency - x->urgency;
}

/* In which order four jobs come out. */
static int names_in_order(mag_queue_order order, char *names)
{
	static const struct job jobs[] = { { 1, 'a' }, { 5, 'b' }, { 1, 'c' }, { 5, 'd' } };
	const mag_queue_options options = { .size = sizeof(options), .capacity = 4, .element_size = sizeof(struct job),
					    .order = order, .before = more_urgent };
	struct job job;
	mag_queue queue;
	int n = 0, rc = mag_queue_init_as(&queue, &options);

	if (rc < 0)
		return rc;
	for (int i = 0; i < 4; i++)
		mag_queue_try_push(&queue, &jobs[i]);
	while (mag_queue_try_pop(&queue, &job) == 0)
		names[n++] = job.name;
	names[n] = 0;
	return mag_queue_fini(&queue);
}

struct orders {
	mag_frame frame;
	MAG_NO_ARGS(orders);
};

MAG_TASK(orders)
{
	char fifo[5], lifo[5], priority[5];

	MAG_BEGIN(orders);
	CHECK(names_in_order(MAG_QUEUE_FIFO, fifo) == 0);
	CHECK(names_in_order(MAG_QUEUE_LIFO, lifo) == 0);
	CHECK(names_in_order(MAG_QUEUE_PRIORITY, priority) == 0);
	printf("orders: first in first out %s, last in first out %s, by urgency %s\n", fifo, lifo, priority);
	CHECK(fifo[1] == 'b' && lifo[0] == 'd' && priority[0] == 'b' && priority[3] == 'c');
	MAG_RETURN(0);
	MAG_END;
}

/* Oneshot: a request carries the place for its answer. */

struct request {
	int number;
	mag_oneshot *answer;
};

struct server {
	mag_frame frame;
	MAG_ARGS(server, mag_queue *requests;);
	struct request request;
	int64_t rc;
	int square;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->requests, &self->request);
		if (self->rc < 0)
			break;
		self->square = self->request.number * self->request.number;
		if (self->request.number < 0)
			mag_oneshot_close(self->request.answer); /* there will be none */
		else
			mag_oneshot_send(self->request.answer, &self->square);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct ask {
	mag_frame frame;
	MAG_NO_ARGS(ask);
	mag_queue requests;
	mag_oneshot answer;
	mag_group group;
	struct request request;
	int64_t rc;
	int room, square;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	CHECK(mag_queue_init(&self->requests, 0, sizeof(struct request)) == 0); /* a rendezvous: it holds nothing */
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, server, .requests = &self->requests);
	for (self->request.number = 7; self->request.number > -8; self->request.number -= 14) {
		mag_oneshot_init(&self->answer, &self->room, sizeof(self->room));
		self->request.answer = &self->answer;
		MAG_AWAIT(self->rc, mag_queue_push, &self->requests, &self->request);
		CHECK(self->rc == 0);
		MAG_AWAIT(self->rc, mag_oneshot_recv, &self->answer, &self->square);
		CHECK(self->rc == (self->request.number > 0 ? 0 : MAG_ECLOSED));
		printf("oneshot: the square of %d: %s", self->request.number,
		       self->rc < 0 ? "refused\n" : "");
		if (self->rc == 0)
			printf("%d\n", self->square);
	}
	mag_queue_close(&self->requests);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && self->square == 49 && mag_queue_fini(&self->requests) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Broadcast: all get all, but who is too slow for the ring loses the oldest, and is told how many. */

struct tell {
	mag_frame frame;
	MAG_NO_ARGS(tell);
	mag_broadcast news;
	mag_broadcast_receiver quick, slow;
	int64_t rc;
	int i, item, quick_had, slow_had, slow_missed;
};

MAG_TASK(tell)
{
	MAG_BEGIN(tell);
	self->quick_had = self->slow_had = self->slow_missed = 0;
	CHECK(mag_broadcast_init(&self->news, 8, sizeof(int)) == 0);
	CHECK(mag_broadcast_subscribe(&self->news, &self->quick) == 0);
	CHECK(mag_broadcast_subscribe(&self->news, &self->slow) == 0);
	for (self->i = 1; self->i <= 20; self->i++) {
		CHECK(mag_broadcast_send(&self->news, &self->i) == 2); /* never waits */
		MAG_AWAIT(self->rc, mag_broadcast_recv, &self->quick, &self->item);
		CHECK(self->rc == 0 && self->item == self->i);
		self->quick_had++;
	}
	mag_broadcast_close(&self->news);
	for (;;) {
		MAG_AWAIT(self->rc, mag_broadcast_recv, &self->slow, &self->item);
		if (self->rc < 0)
			break;
		if (self->rc > 0)
			self->slow_missed += (int)self->rc;
		else
			self->slow_had++;
	}
	CHECK(self->rc == MAG_ECLOSED && self->item == 20);
	mag_broadcast_unsubscribe(&self->quick);
	mag_broadcast_unsubscribe(&self->slow);
	CHECK(mag_broadcast_fini(&self->news) == 0);
	printf("broadcast: the quick one had %d, the slow one missed %d and had %d\n", self->quick_had,
	       self->slow_missed, self->slow_had);
	CHECK(self->quick_had == 20 && self->slow_missed == 12 && self->slow_had == 8);
	MAG_RETURN(0);
	MAG_END;
}

/* Watch: who follows sees the newest, and the last. */

struct follower {
	mag_frame frame;
	MAG_ARGS(follower, mag_watch *level; int *last; int *looks;);
	uint64_t seen;
	int64_t rc;
};

MAG_TASK(follower)
{
	MAG_BEGIN(follower);
	self->seen = 0;
	*self->looks = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_watch_changed, self->level, self->seen);
		if (self->rc < 0)
			break;
		self->seen = mag_watch_get(self->level, self->last);
		++*self->looks;
	}
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct change {
	mag_frame frame;
	MAG_NO_ARGS(change);
	mag_watch level;
	mag_group group;
	int64_t rc;
	int room, i, last[2], looks[2];
};

MAG_TASK(change)
{
	MAG_BEGIN(change);
	self->room = 1;
	mag_watch_init(&self->level, &self->room, sizeof(self->room));
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 2; self->i++)
		MAG_SPAWN(self->rc, &self->group, follower, .level = &self->level, .last = &self->last[self->i],
			  .looks = &self->looks[self->i]);
	for (self->i = 2; self->i <= 1000; self->i++) {
		mag_watch_send(&self->level, &self->i); /* takes the place of the one before */
		if (self->i % 100 == 0)
			MAG_YIELD(self->rc);
	}
	mag_watch_close(&self->level);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && mag_watch_fini(&self->level) == 0);
	CHECK(self->last[0] == 1000 && self->last[1] == 1000);
	CHECK(self->looks[0] <= 1000 && self->looks[1] <= 1000);
	printf("watch: 1000 levels, both who follow have seen the last\n");
	MAG_RETURN(0);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	int64_t rc;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_CALL(self->rc, bounded);
	if (self->rc == 0)
		MAG_CALL(self->rc, orders);
	if (self->rc == 0)
		MAG_CALL(self->rc, ask);
	if (self->rc == 0)
		MAG_CALL(self->rc, tell);
	if (self->rc == 0)
		MAG_CALL(self->rc, change);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "18_queues: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
