/* SPDX-License-Identifier: MIT */
/* test_tree.c - src/task/tree.c, src/task/seen.c, src/run/dump.c, src/run/quit.c: what is said of tasks that wait. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "unit/tree_look.h"

struct caller {
	mag_frame frame;
	MAG_NO_ARGS(caller);
	int64_t rc;
};

MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	MAG_CALL(self->rc, sleeper);
	MAG_RETURN(0);
	MAG_END;
}

struct forker {
	mag_frame frame;
	MAG_NO_ARGS(forker);
	int64_t rc;
};

MAG_TASK(forker)
{
	MAG_BEGIN(forker);
	MAG_FORK(sleeper);
	MAG_FORK(caller);
	MAG_JOIN(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

struct reader {
	mag_frame frame;
	MAG_NO_ARGS(reader);
	mag_scope scope, shield;
	mag_fd pair[2];
	int64_t rc;
	char byte;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	self->rc = mag_socket_pair(SOCK_STREAM, self->pair);
	NEED(self->rc == 0);
	MAG_WITH_TIMEOUT(&self->scope, 100 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_recv, self->pair[0], &self->byte, 1);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_SHIELD(&self->shield, MAG_SECOND);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	MAG_SCOPE_END(self->rc, &self->shield);
	MAG_RETURN(0);
	MAG_END;
}

struct holder {
	mag_frame frame;
	MAG_ARGS(holder, mag_mutex *mutex;);
	int64_t rc;
};

MAG_TASK(holder)
{
	MAG_BEGIN(holder);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
	if (self->rc < 0)
		MAG_RETURN(0);
	MAG_AWAIT(self->rc, mag_sleep, 1000 * MAG_SECOND);
	mag_mutex_unlock(self->mutex);
	MAG_RETURN(0);
	MAG_END;
}

struct late {
	mag_frame frame;
	MAG_ARGS(late, mag_mutex *mutex;);
	int64_t rc;
};

MAG_TASK(late)
{
	MAG_BEGIN(late);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
	MAG_RETURN(0);
	MAG_END;
}

/* Starts one of each kind, and who looks for these lines. */
struct scene {
	mag_frame frame;
	MAG_ARGS(scene, const struct line *lines;);
	mag_group group;
	mag_mutex mutex;
	int64_t rc;
	int i;
};

MAG_TASK(scene)
{
	MAG_BEGIN(scene);
	mag_mutex_init(&self->mutex);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = 20);
	MAG_SPAWN(self->rc, &self->group, holder, .mutex = &self->mutex);
	while (!mag_mutex_is_locked(&self->mutex))
		MAG_YIELD(self->rc);
	MAG_SPAWN(self->rc, &self->group, late, .mutex = &self->mutex);
	MAG_SPAWN(self->rc, &self->group, forker);
	MAG_SPAWN(self->rc, &self->group, reader);
	for (self->i = 0; self->i < 5; self->i++)
		MAG_SPAWN(self->rc, &self->group, caller);
	MAG_SPAWN(self->rc, &self->group, looker, .lines = self->lines, .group = &self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

static void shows(const struct line *lines)
{
	cr_assert_eq(RUN(2, scene, .lines = lines), 0);
}

Test(tree, the_group_is_under_the_task_that_waits_for_it, .timeout = 30)
{
	shows((struct line[]){ { 0, "scene: MAG_GROUP_END", "test_tree.c:" },
			       { 1, "group &self->group, 10 tasks, limit 20", "test_tree.c:" }, END });
}

Test(tree, a_call_is_under_its_caller_and_those_alike_take_one_line, .timeout = 30)
{
	shows((struct line[]){ { 2, "caller: calls sleeper", "test_tree.c:" },
			       { 3, "sleeper: mag_sleep", " more  tree_look.h:" },
			       { 2, "... and 4 more like it", "" }, END });
}

Test(tree, a_forked_task_is_under_the_one_that_joins_it, .timeout = 30)
{
	shows((struct line[]){ { 2, "forker: MAG_JOIN", "test_tree.c:" }, { 3, "", "sleep" }, { 3, "", "sleep" }, END });
}

Test(tree, who_waits_for_a_mutex_is_told_who_holds_it, .timeout = 30)
{
	shows((struct line[]){ { 2, "late: mag_mutex_lock, held by holder [1]", "test_tree.c:" }, END });
	shows((struct line[]){ { 2, "holder [1]: mag_sleep", "test_tree.c:" }, END });
}

Test(tree, an_operation_names_its_file_and_its_scope_the_time_that_is_left, .timeout = 30)
{
	shows((struct line[]){ { 2, "reader: mag_recv, fd ", "test_tree.c:" },
			       { 3, "scope &self->scope, ends in 9", "test_tree.c:" }, END });
}

Test(tree, workers_and_counters_follow, .timeout = 30)
{
	shows((struct line[]){ { 0, "scene", "" }, { -1, "worker 0: ", "" }, { -1, "worker 1: ", "" },
			       { -1, "so far: ", " taken up" }, END });
}

/* How long it waits. */
struct old {
	mag_frame frame;
	MAG_ARGS(old, mag_event *event;);
	int64_t rc;
};

MAG_TASK(old)
{
	MAG_BEGIN(old);
	MAG_AWAIT(self->rc, mag_event_wait, self->event);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct since {
	mag_frame frame;
	MAG_NO_ARGS(since);
	mag_group group;
	mag_event event;
	int64_t rc;
};

MAG_TASK(since)
{
	const char *found;

	MAG_BEGIN(since);
	mag_event_init(&self->event);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, old, .event = &self->event);
	MAG_AWAIT(self->rc, mag_sleep, 400 * MAG_MILLISECOND);
	found = strstr(dump(mag_runtime_current()), "old: mag_event_wait, ");
	NEED(found != NULL);
	found += strlen("old: mag_event_wait, ");
	NEED(atoi(found) >= 350 || strncmp(found + strspn(found, "0123456789."), " ms", 3)); /* s, on a busy machine */
	mag_event_set(&self->event);
	MAG_GROUP_END(self->rc, &self->group);
	mag_event_fini(&self->event);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(tree, it_says_since_when, .timeout = 30)
{
	int64_t rc = RUN(1, since);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* One that waits again and again, as consumers do. */
struct again {
	mag_frame frame;
	MAG_ARGS(again, mag_queue *queue;);
	uint64_t element;
	int64_t rc;
};

MAG_TASK(again)
{
	MAG_BEGIN(again);
	do
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->element);
	while (self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct since_again {
	mag_frame frame;
	MAG_NO_ARGS(since_again);
	mag_group group;
	mag_queue queue;
	uint64_t element;
	int64_t rc;
};

MAG_TASK(since_again)
{
	const char *found;

	MAG_BEGIN(since_again);
	self->element = 1;
	NEED(mag_queue_init(&self->queue, 2, sizeof(uint64_t)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, again, .queue = &self->queue);
	UNTIL_WAITING(self->rc, &self->queue.waitq, 1);
	MAG_AWAIT(self->rc, mag_sleep, 1000 * MAG_MILLISECOND);
	NEED(mag_queue_try_push(&self->queue, &self->element) == 0);
	UNTIL_WAITING(self->rc, &self->queue.waitq, 1);
	found = strstr(dump(mag_runtime_current()), "again: mag_queue_pop, ");
	NEED(found != NULL);
	found += strlen("again: mag_queue_pop, ");
	NEED(strncmp(found + strspn(found, "0123456789."), " s", 2)); /* it is not the first wait that is told of */
	mag_queue_close(&self->queue);
	MAG_GROUP_END(self->rc, &self->group);
	mag_queue_fini(&self->queue);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(tree, it_says_since_when_it_waits_this_time, .timeout = 30)
{
	int64_t rc = RUN(1, since_again, );

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* All at once, while they come and go. */
struct fly {
	mag_frame frame;
	MAG_ARGS(fly, int depth;);
	mag_group group;
	mag_scope scope;
	int64_t rc;
	int i;
};

MAG_TASK(fly)
{
	MAG_BEGIN(fly);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(self->depth * 10 + 1) * MAG_MICROSECOND);
	if (self->depth == 0)
		MAG_RETURN(0);
	MAG_WITH_TIMEOUT(&self->scope, 1000 * MAG_SECOND);
	MAG_FORK(fly, .depth = self->depth - 1);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN(self->rc, &self->group, fly, .depth = self->depth - 1);
	MAG_CALL(self->rc, fly, .depth = self->depth - 1);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_JOIN(self->rc);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(tree, looking_at_tasks_that_come_and_go_harms_nobody, .timeout = 120)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = 3 };
	mag_runtime *rt;
	int rc = mag_runtime_create(&options, &rt);

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	for (int i = 0; i < 30; i++) {
		mag_future done;
		int64_t result = 1;

		mag_future_init(&done);
		cr_assert_eq(mag_spawn_from(rt, &done, fly, .depth = 4), 0);
		while (!mag_future_poll(&done, &result))
			cr_assert_neq(strlen(dump(rt)), 0);
		cr_assert_eq(result, 0);
		mag_future_fini(&done);
	}
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND)), 0);
}

/* Two that wait for each other. */
struct locker {
	mag_frame frame;
	MAG_ARGS(locker, mag_mutex *first, *second; int *ready;);
	int64_t rc;
};

MAG_TASK(locker)
{
	MAG_BEGIN(locker);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->first);
	magi_add_ar(self->ready, 1); /* [test] */
	while (magi_load_acq(self->ready) < 2) /* [test] */
		MAG_YIELD(self->rc);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->second);
	mag_mutex_unlock(self->first);
	MAG_RETURN(0);
	MAG_END;
}

static int count(const char *text, const char *words)
{
	int n = 0;

	for (; (text = strstr(text, words)); text++)
		n++;
	return n;
}

/* What comes out of a pipe until it has said this so many times. */
static const char *said(int fd, const char *words, int times)
{
	static char text[TEXT];
	size_t at = 0;

	text[0] = 0;
	while (count(text, words) < times) {
		ssize_t n = read(fd, text + at, sizeof(text) - 1 - at);

		cr_assert_gt(n, 0, "no more room or words after: %s", text);
		at += (size_t)n;
		text[at] = 0;
	}
	return text;
}

Test(tree, a_deadlock_is_said_with_its_circle, .timeout = 60)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = 2 };
	mag_mutex a = MAG_MUTEX_INIT, b = MAG_MUTEX_INIT;
	int before = dup(STDERR_FILENO), ready = 0, fd[2], rc;
	const char *text;
	mag_runtime *rt;

	cr_assert_eq(pipe2(fd, O_CLOEXEC), 0);
	setenv("MAGPIE_DEBUG", "deadlock", 1); /* this thread might do something yet */
	rc = mag_runtime_create(&options, &rt);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	dup2(fd[1], STDERR_FILENO);
	cr_assert_eq(mag_spawn_from(rt, NULL, locker, .first = &a, .second = &b, .ready = &ready), 0);
	cr_assert_eq(mag_spawn_from(rt, NULL, locker, .first = &b, .second = &a, .ready = &ready), 0);
	text = said(fd[0], "\nso far: ", 1);
	dup2(before, STDERR_FILENO);
	cr_assert(strstr(text, "nothing moves"), "%s", text);
	cr_assert(strstr(text, "a circle: locker ["), "%s", text);
	mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND));
}

Test(tree, sigquit_prints_all_runtimes_and_ends_none, .timeout = 60)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = 1 };
	int before = dup(STDERR_FILENO), fd[2], rc;
	mag_runtime *one, *two;

	cr_assert_eq(pipe2(fd, O_CLOEXEC), 0);
	signal(SIGQUIT, SIG_DFL);
	rc = mag_runtime_create(&options, &one);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(mag_runtime_create(&options, &two), 0);
	for (int i = 0; i < 3; i++) {
		const char *text;

		dup2(fd[1], STDERR_FILENO);
		raise(SIGQUIT);
		text = strstr(said(fd[0], "\nso far: ", 2), "\nmagpie: a runtime of 1 worker");
		dup2(before, STDERR_FILENO);
		cr_assert(text, "the second one is missing");
	}
	mag_runtime_destroy(one, MAG_NEVER);
	mag_runtime_destroy(two, MAG_NEVER);
	cr_assert_eq(signal(SIGQUIT, SIG_DFL), SIG_DFL, "the handler stays behind");
}

static void nothing(int number)
{
	(void)number;
}

Test(tree, a_program_that_handles_sigquit_itself_goes_on_doing_so, .timeout = 30)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = 1 };
	mag_runtime *rt;
	int rc;

	signal(SIGQUIT, nothing);
	rc = mag_runtime_create(&options, &rt);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(signal(SIGQUIT, SIG_DFL), nothing);
	mag_runtime_destroy(rt, MAG_NEVER);
	options.no_sigquit = true;
	cr_assert_eq(mag_runtime_create(&options, &rt), 0);
	cr_assert_eq(signal(SIGQUIT, SIG_DFL), SIG_DFL);
	mag_runtime_destroy(rt, MAG_NEVER);
}
