/* SPDX-License-Identifier: MIT */
/* test_local.c - task-local values: who sees which. */
#include "gates.h"

MAG_LOCAL_KEY(number, const int);
MAG_LOCAL_KEY(text, const char);

/* What a plain function that a task calls sees. */
static int number_of(const mag_frame *f)
{
	const int *n = MAG_LOCAL_OF(f, number);

	return n ? *n : 0;
}

/* Sees this number, also after it has waited. */
struct reader {
	mag_frame frame;
	MAG_ARGS(reader, int want; uint32_t *ran;);
	int64_t rc;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	CHECK(number_of(&self->frame) == self->want);
	MAG_AWAIT(self->rc, mag_sleep, 5);
	CHECK(number_of(&self->frame) == self->want);
	if (self->ran)
		count(self->ran);
	MAG_RETURN(number_of(&self->frame));
	MAG_END;
}

/* Asks for items, and sees its consumer's number each time. */
struct counter {
	mag_frame frame;
	MAG_NO_ARGS(counter);
	int64_t rc;
};

MAG_TASK(counter)
{
	MAG_BEGIN(counter);
	do
		MAG_EMIT(self->rc, number_of(&self->frame));
	while (self->rc >= 0);
	MAG_RETURN(0);
	MAG_END;
}

enum { READERS = 8 };

/* In a scope where the number is 2 or what was said; `outer` is a group around that. */
struct inside {
	mag_frame frame;
	MAG_ARGS(inside, mag_group *outer; uint32_t *ran;);
	mag_group group;
	mag_gather gather;
	mag_handle handle;
	mag_local local;
	int64_t results[READERS];
	int64_t rc;
	int two, i;
};

MAG_TASK(inside)
{
	MAG_BEGIN(inside);
	CHECK(number_of(&self->frame) == 1);
	self->two = 2;
	MAG_WITH_LOCAL(&self->local, number, &self->two);
	MAG_CALL(self->rc, reader, .want = 2, .ran = self->ran);
	CHECK(self->rc == 2);
	MAG_FORK(reader, .want = 2, .ran = self->ran);
	MAG_SPAWN(self->rc, self->outer, reader, .want = 1, .ran = self->ran);
	MAG_GROUP_BEGIN(&self->group, .limit = 3);
	for (self->i = 0; self->i < READERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, reader, .want = 2, .ran = self->ran);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, reader, .want = 2, .ran = self->ran);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_GATHER_EACH(self->rc, &self->gather, self->results, READERS, self->i, reader, .want = 2, .ran = self->ran);
	CHECK(self->rc == 0 && self->results[READERS - 1] == 2);
	MAG_LOCAL_END(self->rc, &self->local);
	CHECK(self->rc == 0 && number_of(&self->frame) == 1);
	MAG_RETURN(0);
	MAG_END;
}

struct around {
	mag_frame frame;
	MAG_NO_ARGS(around);
	mag_group group;
	mag_local local, second;
	mag_scope scope;
	mag_generator gen;
	uint32_t ran;
	int64_t rc;
	int one, three, item;
};

MAG_TASK(around)
{
	MAG_BEGIN(around);
	self->ran = 0;
	self->one = 1;
	self->three = 3;
	CHECK(!MAG_LOCAL(number) && !MAG_LOCAL(text));
	MAG_WITH_LOCAL(&self->local, number, &self->one);
	MAG_WITH_LOCAL(&self->second, text, "hidden by nothing");
	CHECK(*MAG_LOCAL(number) == 1);
	MAG_GROUP_BEGIN(&self->group);
	MAG_CALL(self->rc, inside, .outer = &self->group, .ran = &self->ran);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->ran) == 3 + READERS + 1 + READERS);
	MAG_LOCAL_END(self->rc, &self->second);
	CHECK(!MAG_LOCAL(text) && *MAG_LOCAL(number) == 1);

	MAG_GENERATE(self->rc, &self->gen, counter);
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->item == 1);
	MAG_WITH_LOCAL(&self->second, number, &self->three);
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->item == 3);
	MAG_SCOPE_BEGIN(&self->scope);
	CHECK(*MAG_LOCAL(number) == 3);
	MAG_RETURN(0);
	MAG_END;
}

struct before_and_after {
	mag_frame frame;
	MAG_NO_ARGS(before_and_after);
	int64_t rc;
};

MAG_TASK(before_and_after)
{
	MAG_BEGIN(before_and_after);
	MAG_CALL(self->rc, around);
	CHECK(self->rc == 0 && !MAG_LOCAL(number));
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a group that begins without its parent's values; a search that ends at the first entry; one from the outside in. */
Test(local, the_nearest_value_is_seen_by_all_that_is_called_forked_or_spawned_inside, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, before_and_after), 0);
}

/* The background runs in no scope of the task's that starts it. */
struct starter {
	mag_frame frame;
	MAG_ARGS(starter, uint32_t *ran;);
	mag_local local;
	int64_t rc;
	int one;
};

MAG_TASK(starter)
{
	MAG_BEGIN(starter);
	self->one = 1;
	MAG_WITH_LOCAL(&self->local, number, &self->one);
	MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), reader, .want = 0, .ran = self->ran);
	MAG_RETURN(self->rc); /* the value is gone before it is read */
	MAG_END;
}

Test(local, the_background_sees_no_values, .timeout = 10)
{
	EACH_WORKERS(n) {
		uint32_t ran = 0;

		cr_assert_eq(RUN(n, starter, .ran = &ran), 0);
		cr_assert_eq(ran, 1);
	}
}
