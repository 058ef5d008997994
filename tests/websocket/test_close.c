/* SPDX-License-Identifier: MIT */
/* test_close.c - how a WebSocket ends: while a message is used, with what comes behind a close, with too much said. */
#include <magpie/sim.h>
#include <stdlib.h>

#include "websocket/pair.h"

/* One task uses a message, another one closes, and what comes meanwhile is thrown away. */
struct still_used {
	mag_frame frame;
	MAG_ARGS(still_used, size_t len;);
	struct pair p;
	mag_group group;
	mag_websocket_message m;
	char *text;
	int64_t rc;
	char letter;
};

static MAG_TASK(still_used)
{
	MAG_BEGIN(still_used);
	OPEN(.fd = { MAG_FD_NONE });
	self->text = malloc(self->len);
	for (self->letter = 'a'; self->letter <= 'c'; self->letter++) {
		memset(self->text, self->letter, self->len);
		MAG_AWAIT(self->rc, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, self->text, self->len);
		CHECK_EQ(self->rc, 0);
	}
	MAG_AWAIT(self->rc, mag_websocket_recv, &self->p.ws[1], &self->m);
	CHECK_EQ(self->rc, 1);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, closer, .ws = &self->p.ws[1]);
	MAG_SPAWN(self->rc, &self->group, listens, .ws = &self->p.ws[0]);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	memset(self->text, 'a', self->len);
	CHECK(self->m.len == self->len && memcmp(self->m.data, self->text, self->len) == 0);
	free(self->text);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_close, a_close_leaves_the_message_alone_that_another_task_uses, .timeout = 60)
{
	RUN(still_used, .len = 100);
	RUN(still_used, .len = 20000);
}

/* A ping that comes behind a close of one's own. */
struct late_ping {
	mag_frame frame;
	MAG_NO_ARGS(late_ping);
	struct pair p;
	mag_group group;
	mag_scope scope;
	int64_t rc, why;
	unsigned char buf[64];
};

static MAG_TASK(late_ping)
{
	MAG_BEGIN(late_ping);
	OPEN(.fd = { MAG_FD_NONE });
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, closer, .ws = &self->p.ws[0]);
	MAG_AWAIT(self->rc, mag_recv, self->p.fd[1], self->buf, sizeof(self->buf));
	CHECK(self->rc > 0 && self->buf[0] == 0x88);
	MAG_AWAIT(self->rc, mag_send_all, self->p.fd[1], "\x89\x00\x88\x02\x03\xe8", 6);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_recv, self->p.fd[1], self->buf, sizeof(self->buf));
	MAG_SCOPE_END(self->why, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_close, nothing_is_sent_behind_a_close, .timeout = 60)
{
	RUN(late_ping);
}

/* The other end says more than is wanted: both know why it has ended. */
struct too_much {
	mag_frame frame;
	MAG_NO_ARGS(too_much);
	struct pair p;
	mag_websocket_message m;
	int64_t rc;
};

static MAG_TASK(too_much)
{
	MAG_BEGIN(too_much);
	OPEN(.o[1] = { .message_max = 10 });
	SEND(0, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "eleven byte", 11);
	SEND(-EMSGSIZE, mag_websocket_recv, &self->p.ws[1], &self->m);
	SEND(0, mag_websocket_recv, &self->p.ws[0], &self->m);
	CHECK_EQ(mag_websocket_close_code(&self->p.ws[0]), 1009);
	SEND(-EPIPE, mag_websocket_send, &self->p.ws[1], MAG_WEBSOCKET_TEXT, "x", 1);
	SEND(-EMSGSIZE, mag_websocket_close, &self->p.ws[1], 1000, NULL);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_close, too_much_is_refused, .timeout = 60)
{
	RUN(too_much);
}

/* One end speaks in a task of its own, which is cancelled as soon as the other end has closed. That end has its answer all
 * the same. Tried: recv leaves the answer to who is sending just then. */
struct speaks {
	mag_frame frame;
	MAG_ARGS(speaks, mag_websocket *ws;);
	int64_t rc;
};

static MAG_TASK(speaks)
{
	MAG_BEGIN(speaks);
	do {
		MAG_AWAIT(self->rc, mag_websocket_send, self->ws, MAG_WEBSOCKET_TEXT, "line", 4);
	} while (self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct hears_out {
	mag_frame frame;
	MAG_ARGS(hears_out, struct pair *p;);
	mag_group group;
	mag_websocket_message m;
	int64_t rc, heard;
};

static MAG_TASK(hears_out)
{
	MAG_BEGIN(hears_out);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, speaks, .ws = &self->p->ws[1]);
	MAG_AWAIT(self->heard, mag_websocket_recv, &self->p->ws[1], &self->m);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->heard, 0);
	mag_websocket_fini(&self->p->ws[1]);
	CLOSE(self->p->fd[1]);
	MAG_RETURN(0);
	MAG_END;
}

struct parting {
	mag_frame frame;
	MAG_NO_ARGS(parting);
	struct pair p;
	mag_group group;
	mag_websocket_message m;
	int64_t rc;
	int i;
};

static MAG_TASK(parting)
{
	MAG_BEGIN(parting);
	OPEN(.fd = { MAG_FD_NONE });
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, hears_out, .p = &self->p);
	for (self->i = 0; self->i < 3; self->i++)
		SEND(1, mag_websocket_recv, &self->p.ws[0], &self->m);
	SEND(0, mag_websocket_close, &self->p.ws[0], 1000, "good night");
	CHECK_EQ(mag_websocket_close_code(&self->p.ws[0]), 1000);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	mag_websocket_fini(&self->p.ws[0]);
	CLOSE(self->p.fd[0]);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_close, a_close_is_answered_though_another_task_that_sends_is_cancelled, .timeout = 60)
{
	mag_sim_options calm = { .size = sizeof(calm), .faults = MAG_SIM_NONE };

	RUN(parting);
	for (uint64_t seed = 0; seed < 100; seed++)
		cr_assert_eq(mag_sim_run(seed, &calm, parting), 0, "seed %d", (int)seed);
}
