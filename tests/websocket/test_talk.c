/* SPDX-License-Identifier: MIT */
/* test_talk.c - two ends in one program: messages both ways at once, back-pressure, pings, parts, cancellation. */
#include <magpie/sim.h>
#include <stdlib.h>

#include "websocket/pair.h"

enum { ROUNDS = 40, LONGEST = 150000 };

static size_t length_of(int i)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 32767, 32768, 32769, 65535, 65536, 150000 };

	return i < 11 ? lengths[i] : (size_t)i * 97 % 3000;
}

static unsigned char byte_at(int message, size_t i)
{
	return (unsigned char)('a' + (message + i) % 23);
}

struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_websocket *ws;);
	unsigned char *data;
	int64_t rc;
	int i;
};

static MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	self->data = malloc(LONGEST);
	for (self->i = 0; self->i < ROUNDS; self->i++) {
		for (size_t k = 0; k < length_of(self->i); k++)
			self->data[k] = byte_at(self->i, k);
		MAG_AWAIT(self->rc, mag_websocket_send, self->ws, self->i % 2 ? MAG_WEBSOCKET_TEXT : MAG_WEBSOCKET_BINARY,
			  self->data, length_of(self->i));
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_websocket_ping, self->ws, "are you there", 13);
		CHECK_EQ(self->rc, 0);
	}
	free(self->data);
	MAG_RETURN(0);
	MAG_END;
}

static bool as_sent(const mag_websocket_message *m, int i)
{
	if (m->len != length_of(i) || m->type != (i % 2 ? MAG_WEBSOCKET_TEXT : MAG_WEBSOCKET_BINARY) || !m->first || !m->last)
		return false;
	for (size_t k = 0; k < m->len; k++) {
		if (m->data[k] != byte_at(i, k))
			return false;
	}
	return true;
}

struct hearer {
	mag_frame frame;
	MAG_ARGS(hearer, mag_websocket *ws; uint64_t patience; uint32_t *cut;);
	mag_websocket_message m;
	mag_scope scope;
	int64_t rc, why;
	int i;
};

static MAG_TASK(hearer)
{
	MAG_BEGIN(hearer);
	for (self->i = 0; self->i < ROUNDS;) {
		MAG_WITH_TIMEOUT(&self->scope, self->patience);
		MAG_AWAIT(self->rc, mag_websocket_recv, self->ws, &self->m);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
			(*self->cut)++;
			continue;
		}
		CHECK_EQ(self->rc, 1);
		CHECK(as_sent(&self->m, self->i));
		self->i++;
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Both send and receive all at once; then both close at once. Returns how often a receive was cut short. */
struct both_ways {
	mag_frame frame;
	MAG_ARGS(both_ways, uint64_t patience;);
	struct pair p;
	mag_group senders, hearers, closers;
	uint32_t cut[2];
	int64_t rc;
	int i;
};

static MAG_TASK(both_ways)
{
	MAG_BEGIN(both_ways);
	OPEN(.fd = { MAG_FD_NONE });
	MAG_GROUP_BEGIN(&self->hearers);
	MAG_GROUP_BEGIN(&self->senders);
	for (self->i = 0; self->i < 2; self->i++) {
		self->cut[self->i] = 0;
		MAG_SPAWN(self->rc, &self->hearers, hearer, .ws = &self->p.ws[self->i], .patience = self->patience,
			  .cut = &self->cut[self->i]);
		MAG_SPAWN(self->rc, &self->senders, sender, .ws = &self->p.ws[self->i]);
	}
	MAG_GROUP_END(self->rc, &self->senders);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->hearers);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->closers);
	for (self->i = 0; self->i < 2; self->i++)
		MAG_SPAWN(self->rc, &self->closers, closer, .ws = &self->p.ws[self->i]);
	MAG_GROUP_END(self->rc, &self->closers);
	CHECK_EQ(self->rc, 0);
	for (self->i = 0; self->i < 2; self->i++)
		CHECK_EQ(mag_websocket_close_code(&self->p.ws[self->i]), 1000);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(self->rc < 0 ? self->rc : self->patience == MAG_NEVER ? 0 : self->cut[0] + self->cut[1]);
	MAG_END;
}

Test(websocket_talk, messages_both_ways_at_once, .timeout = 60)
{
	RUN(both_ways, .patience = MAG_NEVER);
}

Test(websocket_talk, on_many_schedules, .timeout = 60)
{
	int64_t cut = 0;

	for (uint64_t seed = 0; seed < 12; seed++) {
		int64_t rc = mag_sim_run(seed, NULL, both_ways, .patience = seed % 2 ? MAG_NEVER : 20 * MAG_MICROSECOND);

		cr_assert_geq(rc, 0, "seed %d", (int)seed);
		cut += rc;
	}
	cr_assert_gt(cut, 0);
}

/* Nothing is said for ten minutes: pings go to and fro. Then the network is there and nobody answers. */
struct quiet {
	mag_frame frame;
	MAG_NO_ARGS(quiet);
	struct pair p;
	mag_group group;
	mag_websocket_message m;
	uint32_t cut;
	uint64_t began;
	int64_t rc;
	unsigned char buf[64];
};

static MAG_TASK(quiet)
{
	MAG_BEGIN(quiet);
	OPEN(.o[0] = { .ping_ns = 7 * MAG_SECOND }, .o[1] = { .ping_ns = MAG_NEVER });
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, listens, .ws = &self->p.ws[0]);
	MAG_SPAWN(self->rc, &self->group, listens, .ws = &self->p.ws[1]);
	MAG_AWAIT(self->rc, mag_sleep, 600 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_websocket_close, &self->p.ws[1], 1001, NULL);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_websocket_close_code(&self->p.ws[0]), 1001);
	MAG_CALL(self->rc, pair_close, .p = &self->p);

	OPEN(.o[0] = { .ping_ns = 7 * MAG_SECOND, .pong_ns = 3 * MAG_SECOND, .close_ns = 2 * MAG_SECOND });
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_websocket_recv, &self->p.ws[0], &self->m);
	CHECK_EQ(self->rc, MAG_ETIMEDOUT);
	CHECK(mag_now() - self->began >= 10 * MAG_SECOND && mag_now() - self->began < 11 * MAG_SECOND);
	CHECK(strstr(mag_websocket_why(&self->p.ws[0]), "ping"));
	MAG_AWAIT(self->rc, mag_recv, self->p.fd[1], self->buf, sizeof(self->buf));
	CHECK(self->rc == 6 && self->buf[0] == 0x89 && self->buf[1] == 0x80); /* one ping */
	MAG_CALL(self->rc, pair_close, .p = &self->p);

	/* nobody answers a close */
	OPEN(.o[0] = { .close_ns = 2 * MAG_SECOND });
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_websocket_close, &self->p.ws[0], 3000, "gr\xc3\xbc\xc3\x9f");
	CHECK_EQ(self->rc, MAG_ETIMEDOUT);
	CHECK(mag_now() - self->began >= 2 * MAG_SECOND && mag_now() - self->began < 3 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "x", 1);
	CHECK_EQ(self->rc, -EPIPE);
	MAG_AWAIT(self->rc, mag_websocket_ping, &self->p.ws[0], NULL, 0);
	CHECK_EQ(self->rc, -EPIPE);
	MAG_AWAIT(self->rc, mag_websocket_recv, &self->p.ws[1], &self->m);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_websocket_close_code(&self->p.ws[1]), 3000);
	CHECK(strcmp(mag_websocket_close_reason(&self->p.ws[1]), "gr\xc3\xbc\xc3\x9f") == 0);
	MAG_AWAIT(self->rc, mag_websocket_close, &self->p.ws[0], 1000, NULL); /* now it is answered */
	CHECK_EQ(self->rc, 0);
	MAG_CALL(self->rc, pair_close, .p = &self->p);

	/* a handshake with nobody */
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->p.fd), 0);
	self->p.o[0] = (mag_websocket_options){ .size = sizeof(self->p.o[0]), .role = MAG_WEBSOCKET_SERVER };
	CHECK_EQ(mag_websocket_init(&self->p.ws[0], &mag_websocket_over_fd, &self->p.fd[0], &self->p.o[0]), 0);
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_websocket_accept, &self->p.ws[0], NULL, 0);
	CHECK_EQ(self->rc, MAG_ETIMEDOUT);
	CHECK(mag_now() - self->began >= MAG_WEBSOCKET_HANDSHAKE_NS);
	mag_websocket_fini(&self->p.ws[0]);
	CLOSE(self->p.fd[0]);
	CLOSE(self->p.fd[1]);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_talk, who_does_not_answer_is_gone, .timeout = 60)
{
	mag_sim_options calm = { .size = sizeof(calm), .faults = MAG_SIM_NONE };

	for (uint64_t seed = 0; seed < 5; seed++)
		cr_assert_eq(mag_sim_run(seed, &calm, quiet), 0, "seed %d", (int)seed);
}

struct last_word {
	mag_frame frame;
	MAG_ARGS(last_word, mag_websocket *ws; int64_t want;);
	int64_t rc;
};

static MAG_TASK(last_word)
{
	MAG_BEGIN(last_word);
	MAG_AWAIT(self->rc, mag_websocket_send, self->ws, MAG_WEBSOCKET_TEXT, "last", 4);
	CHECK_EQ(self->rc, self->want);
	MAG_RETURN(0);
	MAG_END;
}

/* The other end does not read: a send waits, and is cut short. */
struct stuck {
	mag_frame frame;
	MAG_ARGS(stuck, bool large;);
	struct pair p;
	mag_group group;
	mag_scope scope;
	mag_websocket_message m;
	unsigned char *data;
	uint32_t sent, heard;
	int64_t rc, why;
};

static MAG_TASK(stuck)
{
	MAG_BEGIN(stuck);
	OPEN(.o[1] = { .message_max = 4 << 20 });
	self->data = calloc(1, 3 << 20);
	self->sent = self->heard = 0;
	do { /* until there is no room for more */
		MAG_WITH_TIMEOUT(&self->scope, 2 * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_BINARY, self->data,
			  self->large ? 3 << 20 : 10000);
		MAG_SCOPE_END(self->why, &self->scope);
		CHECK(self->rc == 0 || self->rc == MAG_ECANCELED);
		self->sent += self->rc == 0 || self->p.ws[0].out.end; /* it had begun */
	} while (!self->p.ws[0].out.end);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	free(self->data);
	if (!self->large) { /* the one that was cancelled goes ahead of the next */
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, last_word, .ws = &self->p.ws[0], .want = 0);
		while (self->heard < self->sent) {
			MAG_AWAIT(self->rc, mag_websocket_recv, &self->p.ws[1], &self->m);
			CHECK(self->rc == 1 && self->m.len == 10000);
			self->heard++;
		}
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->p.ws[1], &self->m);
		CHECK(self->rc == 1 && self->m.len == 4);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK_EQ(self->rc, 0);
	} else { /* it cannot be ended */
		MAG_CALL(self->rc, last_word, .ws = &self->p.ws[0], .want = -EPIPE);
		CHECK_EQ(self->rc, 0);
	}
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, listens, .ws = &self->p.ws[1]);
	MAG_AWAIT(self->rc, mag_websocket_close, &self->p.ws[0], 1001, NULL);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_websocket_close_code(&self->p.ws[1]), 1001);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_talk, a_send_waits_for_the_other_end, .timeout = 60)
{
	RUN(stuck, .large = false);
	RUN(stuck, .large = true);
}

/* Wrong use, and parts. */
struct parts {
	mag_frame frame;
	MAG_NO_ARGS(parts);
	struct pair p;
	mag_scope scope;
	mag_websocket_message m;
	int64_t rc, why;
	char reason[130];
};

static MAG_TASK(parts)
{
	MAG_BEGIN(parts);
	OPEN(.o[0] = { .fragment = 4 });
	SEND(-EILSEQ, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "\xff", 1);
	SEND(-EILSEQ, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "\xe2\x82", 2);
	SEND(0, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_BINARY, "\xff", 1);
	SEND(0, mag_websocket_send_part, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "h\xc3", 2, false);
	SEND(-EBUSY, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "x", 1);
	SEND(-EBUSY, mag_websocket_send_part, &self->p.ws[0], MAG_WEBSOCKET_BINARY, "x", 1, true);
	SEND(-EILSEQ, mag_websocket_send_part, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "x", 1, true);
	SEND(0, mag_websocket_ping, &self->p.ws[0], "between", 7);
	SEND(0, mag_websocket_send_part, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "\xa9 and more than a fragment", 26, false);
	SEND(0, mag_websocket_send_part, &self->p.ws[0], MAG_WEBSOCKET_TEXT, NULL, 0, true);
	SEND(0, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "whole again", 11);
	SEND(-EINVAL, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, NULL, 1);
	SEND(-EINVAL, mag_websocket_send, &self->p.ws[0], 3, "x", 1);
	SEND(-EINVAL, mag_websocket_ping, &self->p.ws[0], self->reason, 126);
	SEND(-EINVAL, mag_websocket_recv, &self->p.ws[0], NULL);
	SEND(-EINVAL, mag_websocket_close, &self->p.ws[0], 999, NULL);
	SEND(-EINVAL, mag_websocket_close, &self->p.ws[0], 1005, NULL);
	SEND(-EINVAL, mag_websocket_close, &self->p.ws[0], 0, "a reason without a code");
	SEND(-EINVAL, mag_websocket_close, &self->p.ws[0], 1000, "\xff");
	memset(self->reason, 'r', sizeof(self->reason));
	self->reason[124] = 0;
	SEND(-EINVAL, mag_websocket_close, &self->p.ws[0], 1000, self->reason);
	SEND(-EINVAL, mag_websocket_connect, &self->p.ws[1], "a", "/");
	SEND(-EINVAL, mag_websocket_accept, &self->p.ws[0], NULL, 0);
	SEND(1, mag_websocket_recv, &self->p.ws[1], &self->m);
	CHECK(self->m.len == 1);
	SEND(1, mag_websocket_recv, &self->p.ws[1], &self->m);
	CHECK(self->m.len == 28 && memcmp(self->m.data, "h\xc3\xa9 and more than a fragment", 28) == 0);
	SEND(1, mag_websocket_recv, &self->p.ws[1], &self->m);
	CHECK(self->m.len == 11);

	/* cancelled before: nothing happens */
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	SEND(MAG_ECANCELED, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "x", 1);
	SEND(MAG_ECANCELED, mag_websocket_recv, &self->p.ws[0], &self->m);
	SEND(MAG_ECANCELED, mag_websocket_close, &self->p.ws[0], 1000, NULL);
	MAG_SCOPE_END(self->why, &self->scope);
	SEND(0, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "still", 5);
	SEND(1, mag_websocket_recv, &self->p.ws[1], &self->m);
	CHECK(self->m.len == 5);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	SEND(-EINVAL, mag_websocket_recv, &self->p.ws[0], &self->m); /* there is none */
	SEND(-EINVAL, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_TEXT, "x", 1);
	SEND(-EINVAL, mag_websocket_close, &self->p.ws[0], 1000, NULL);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_talk, parts_and_wrong_use, .timeout = 60)
{
	RUN(parts);
}

/* After a large message it costs what it did before. */
struct idle {
	mag_frame frame;
	MAG_NO_ARGS(idle);
	struct pair p;
	mag_websocket_message m;
	mag_group group;
	unsigned char *data;
	int64_t rc;
};

static MAG_TASK(idle)
{
	MAG_BEGIN(idle);
	OPEN(.fd = { MAG_FD_NONE });
	self->data = calloc(1, LONGEST);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, listens, .ws = &self->p.ws[1]);
	SEND(0, mag_websocket_send, &self->p.ws[0], MAG_WEBSOCKET_BINARY, self->data, LONGEST);
	SEND(0, mag_websocket_ping, &self->p.ws[0], NULL, 0);
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	CHECK(self->p.ws[1].in.data == self->p.ws[1].small);
	CHECK(!self->p.ws[1].message.data && !self->p.ws[1].out.data && !self->p.ws[0].out.data);
	SEND(0, mag_websocket_close, &self->p.ws[0], 1000, NULL);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	free(self->data);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(websocket_talk, who_waits_holds_no_buffers, .timeout = 60)
{
	mag_sim_options calm = { .size = sizeof(calm), .faults = MAG_SIM_NONE };

	for (uint64_t seed = 0; seed < 5; seed++)
		cr_assert_eq(mag_sim_run(seed, &calm, idle), 0, "seed %d", (int)seed);
}

Test(websocket_talk, options_that_make_no_sense_are_refused)
{
	mag_websocket ws;
	mag_websocket_options o = { .size = sizeof(o), .role = MAG_WEBSOCKET_CLIENT };
	int stream;

#define REFUSED(field, value)                                                                          \
	do {                                                                                           \
		mag_websocket_options bad = o;                                                         \
		bad.field = (value);                                                                   \
		cr_assert_eq(mag_websocket_init(&ws, &mag_websocket_over_fd, &stream, &bad), -EINVAL);  \
	} while (0)
	REFUSED(size, 1);
	REFUSED(size, sizeof(o) + 8);
	REFUSED(role, 0);
	REFUSED(role, 3);
	REFUSED(fragment, (16 << 20) + 1);
	REFUSED(ahead_len, 1);
	cr_assert_eq(mag_websocket_init(&ws, &mag_websocket_over_fd, &stream, NULL), -EINVAL);
	cr_assert_eq(mag_websocket_init(&ws, NULL, &stream, &o), -EINVAL);
	cr_assert_eq(mag_websocket_init(NULL, &mag_websocket_over_fd, &stream, &o), -EINVAL);
	mag_websocket_fini(&ws);
	mag_websocket_fini(NULL);
	cr_assert_eq(mag_websocket_init(&ws, &mag_websocket_over_fd, &stream, &o), 0);
	cr_assert_null(mag_websocket_protocol(&ws));
	cr_assert_str_eq(mag_websocket_why(&ws), "");
	mag_websocket_fini(&ws);
	mag_websocket_fini(&ws);
}
