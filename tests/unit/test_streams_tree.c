/* SPDX-License-Identifier: MIT */
/* test_streams_tree.c - what is said of a task that waits for a stream's next item, and of the tasks of a stage. */
#include "unit/tree_look.h"

struct page {
	mag_frame frame;
	MAG_ARGS(page, const int *in; int *out; void *ctx;);
	int64_t rc;
};

MAG_TASK(page)
{
	MAG_BEGIN(page);
	MAG_AWAIT(self->rc, mag_sleep, 1000 * MAG_SECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct asker {
	mag_frame frame;
	MAG_NO_ARGS(asker);
	mag_stream_array source;
	mag_stream_crew crew;
	int64_t rc;
	int items[2], item;
};

MAG_TASK(asker)
{
	MAG_BEGIN(asker);
	self->items[0] = self->items[1] = 0;
	NEED(mag_stream_array_init(&self->source, self->items, 2, sizeof(int)) == 0);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(int), MAG_STREAM_FN(page), .limit = 2);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	NEED(self->rc == MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

struct puller {
	mag_frame frame;
	MAG_ARGS(puller, mag_queue *queue;);
	mag_stream_queue source;
	int64_t rc;
	int item;
};

MAG_TASK(puller)
{
	MAG_BEGIN(puller);
	NEED(mag_stream_queue_init(&self->source, self->queue) == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	NEED(self->rc == MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

struct scenery {
	mag_frame frame;
	MAG_ARGS(scenery, const struct line *lines;);
	mag_group group;
	mag_queue queue;
	int64_t rc;
};

MAG_TASK(scenery)
{
	MAG_BEGIN(scenery);
	NEED(mag_queue_init(&self->queue, 1, sizeof(int)) == 0);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, asker);
	MAG_SPAWN(self->rc, &self->group, puller, .queue = &self->queue);
	MAG_SPAWN(self->rc, &self->group, looker, .lines = self->lines, .group = &self->group);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_group_errors(&self->group, NULL) == 0);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void shows(const struct line *lines)
{
	int64_t rc = RUN(2, scenery, .lines = lines);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Tried: a wait whose site is the one that it had before; a stage's group that is taken for its asker's. */
Test(streams_tree, who_asks_is_said_to_wait_for_the_stream, .timeout = 30)
{
	shows((struct line[]){ { 2, "puller: calls mag_stream_next", "test_streams_tree.c:" },
			       { 3, "mag_stream_next: mag_queue_pop of a stream", "source.c:" }, END });
	shows((struct line[]){ { 2, "asker: calls mag_stream_next", "test_streams_tree.c:" },
			       { 3, "mag_stream_next: the tasks of a stage", "crew.c:" }, END });
}

/* Tried: tasks of a stage that are not found, since nobody lives in their group. */
Test(streams_tree, the_tasks_of_a_stage_are_shown_where_it_was_opened, .timeout = 30)
{
	shows((struct line[]){ { 2, "magi_crew_hand: calls ", "hand.c:" }, { 3, "page: mag_sleep", "test_streams_tree.c:" },
			       END });
}
