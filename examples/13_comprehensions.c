/* SPDX-License-Identifier: MIT */
/* 13_comprehensions.c - what comprehensions do elsewhere: an array of what passes a filter, mapped; a table by key; batches;
 * and calls that overlap: 8 at once, in order. docs/cookbook/13-comprehensions.md tells about it. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { USERS = 40, AT_ONCE = 8, PER_BATCH = 15 };

struct user {
	uint64_t id;
	int age;
	char name[20];
};

/* Gives users 1 … USERS, one each 20 us. */
struct users {
	mag_frame frame;
	MAG_NO_ARGS(users);
	struct user user;
	int64_t rc;
	int i;
};

MAG_TASK(users)
{
	MAG_BEGIN(users);
	self->rc = 0;
	for (self->i = 1; self->i <= USERS && self->rc == 0; self->i++) {
		MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_MICROSECOND);
		if (self->rc < 0)
			break;
		self->user = (struct user){ .id = (uint64_t)self->i, .age = self->i * 7 % 60 };
		snprintf(self->user.name, sizeof(self->user.name), "user %d", self->i);
		MAG_EMIT(self->rc, self->user);
	}
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

static bool is_adult(void *ctx, const void *item)
{
	(void)ctx;
	return ((const struct user *)item)->age >= 18;
}

static int id_of(void *ctx, const void *in, void *out)
{
	(void)ctx;
	*(uint64_t *)out = ((const struct user *)in)->id;
	return 0;
}

/* Asks somebody far away for a user's score: 1 ms. */
struct score {
	mag_frame frame;
	MAG_ARGS(score, const struct user *in; int *out; void *ctx;);
	int64_t rc;
};

MAG_TASK(score)
{
	MAG_BEGIN(score);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	*self->out = (int)self->in->id * 10;
	MAG_RETURN(self->rc);
	MAG_END;
}

/* [u.id async for u in users() if u.age >= 18] */
struct ids {
	mag_frame frame;
	MAG_ARGS(ids, mag_list *into;);
	mag_stream_generator source;
	mag_stream_filter adults;
	mag_stream_map ids;
	int64_t rc;
};

MAG_TASK(ids)
{
	MAG_BEGIN(ids);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(struct user), users);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	mag_stream_filter_init(&self->adults, &self->source.stream, is_adult, NULL);
	mag_stream_map_init(&self->ids, &self->adults.stream, sizeof(uint64_t), id_of, NULL);
	MAG_CALL(self->rc, mag_stream_collect, .stream = &self->ids.stream, .into = self->into, .limit = 1000);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* {u.id: u async for u in users()} */
struct by_id {
	mag_frame frame;
	MAG_ARGS(by_id, mag_table *into;);
	mag_stream_generator source;
	int64_t rc;
};

MAG_TASK(by_id)
{
	MAG_BEGIN(by_id);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(struct user), users);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, mag_stream_to_table, .stream = &self->source.stream, .into = self->into,
		 .key_at = offsetof(struct user, id), .key_size = sizeof(uint64_t), .limit = 1000);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Scores, 8 calls at once, in the users' order, in batches. */
struct scores {
	mag_frame frame;
	MAG_NO_ARGS(scores);
	mag_stream_generator source;
	mag_stream_crew scored;
	mag_stream_batch batches;
	mag_batch batch;
	uint64_t began;
	int64_t rc;
	int room[PER_BATCH], next;
};

static int in_order(const mag_batch *batch, int next)
{
	const int *scores = batch->items;

	for (size_t i = 0; i < batch->count; i++, next++) {
		if (scores[i] != 10 * next)
			return -1;
	}
	return next;
}

MAG_TASK(scores)
{
	MAG_BEGIN(scores);
	self->began = mag_now();
	self->next = 1;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(struct user), users);
	if (self->rc == 0)
		MAG_STREAM_BUFFERED(self->rc, &self->scored, &self->source.stream, sizeof(int), MAG_STREAM_FN(score),
				    .limit = AT_ONCE);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	mag_stream_batch_init(&self->batches, &self->scored.stream, self->room, PER_BATCH);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->batches.stream, &self->batch);
		if (self->rc <= 0)
			break;
		self->next = in_order(&self->batch, self->next);
		printf("a batch of %zu scores\n", self->batch.count);
		if (self->next < 0)
			MAG_RETURN(-EPROTO); /* closes what is open */
	}
	if (self->rc == 0 && self->next == USERS + 1)
		printf("%d scores of 1 ms each, %d at once: %s 40 ms\n", USERS, AT_ONCE,
		       mag_now() - self->began < USERS * MAG_MILLISECOND ? "less than" : "not less than");
	MAG_RETURN(self->rc == 0 && self->next != USERS + 1 ? -EPROTO : self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_list ids;
	mag_table table;
	int64_t n, m, rc;
	bool found;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->ids = (mag_list){ 0 };
	self->table = (mag_table){ 0 };
	MAG_CALL(self->n, ids, .into = &self->ids);
	MAG_CALL(self->m, by_id, .into = &self->table);
	self->found = false;
	for (size_t i = 0; i < self->ids.count; i++) {
		const struct user *user = mag_table_find(&self->table, &((uint64_t *)self->ids.items)[i]);

		self->found = user && user->age >= 18;
		if (!self->found)
			break;
	}
	printf("%lld of %lld users are adults, and in the table: %s\n", (long long)self->n, (long long)self->m,
	       self->found ? "yes" : "no");
	mag_free(self->ids.items);
	mag_table_fini(&self->table);
	MAG_CALL(self->rc, scores);
	MAG_RETURN(self->rc < 0 || (self->found && self->m == USERS) ? self->rc : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "13_comprehensions: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
