/* SPDX-License-Identifier: MIT */
/* test_transfer.c - bytes through a session: much of them, both ways at once, cut short and gone on with. */
#include <magpie/sim.h>

#include "tls/pair.h"

enum { MUCH = 600000, STEP = 9001 };

TestSuite(tls_transfer, .init = set_up, .fini = tear_down, .timeout = 60);

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

/* Sends MUCH, in pieces of all lengths, and the end. */
struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_tls *tls;);
	size_t at, len;
	int64_t rc;
	unsigned char *data;
};

static MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	self->data = malloc(MUCH);
	for (size_t i = 0; i < MUCH; i++)
		self->data[i] = byte_at(i);
	for (self->at = 0; self->at < MUCH; self->at += self->len) {
		self->len = self->at % STEP == 0 ? 150000 : self->at * 31 % 20000 + 1;
		self->len = self->len < MUCH - self->at ? self->len : MUCH - self->at;
		MAG_AWAIT(self->rc, mag_tls_send_all, self->tls, self->data + self->at, self->len);
		CHECK_EQ(self->rc, self->len);
	}
	free(self->data);
	MAG_AWAIT(self->rc, mag_tls_send_end, self->tls);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_tls_send_end, self->tls);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_tls_send_all, self->tls, "x", 1);
	CHECK_EQ(self->rc, -EPIPE);
	MAG_RETURN(0);
	MAG_END;
}

/* Receives it, cut short again and again. */
struct hearer {
	mag_frame frame;
	MAG_ARGS(hearer, mag_tls *tls; uint64_t patience; uint32_t *cut;);
	mag_scope scope;
	size_t at;
	int64_t rc, why;
	unsigned char buf[STEP];
};

static bool as_sent(const struct hearer *h)
{
	for (size_t i = 0; i < (size_t)h->rc; i++) {
		if (h->buf[i] != byte_at(h->at + i))
			return false;
	}
	return true;
}

static MAG_TASK(hearer)
{
	MAG_BEGIN(hearer);
	for (self->at = 0;;) {
		MAG_WITH_TIMEOUT(&self->scope, self->patience);
		MAG_AWAIT(self->rc, mag_tls_recv, self->tls, self->buf, 1 + self->at % STEP);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
			(*self->cut)++;
			continue;
		}
		CHECK(self->rc >= 0);
		if (self->rc == 0)
			break;
		CHECK(as_sent(self));
		self->at += (size_t)self->rc;
	}
	CHECK_EQ(self->at, MUCH);
	MAG_AWAIT(self->rc, mag_tls_recv, self->tls, self->buf, 1);
	CHECK_EQ(self->rc, 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Four tasks over two sessions. */
struct both_ways {
	mag_frame frame;
	MAG_ARGS(both_ways, uint64_t patience; bool tell;);
	struct pair p;
	mag_group group;
	uint32_t cut[2];
	int64_t rc;
	int i;
};

static MAG_TASK(both_ways)
{
	MAG_BEGIN(both_ways);
	MAG_CALL(self->rc, pair_open, .p = &self->p);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 2; self->i++) {
		self->cut[self->i] = 0;
		MAG_SPAWN(self->rc, &self->group, sender, .tls = &self->p.tls[self->i]);
		MAG_SPAWN(self->rc, &self->group, hearer, .tls = &self->p.tls[self->i], .patience = self->patience,
			  .cut = &self->cut[self->i]);
	}
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	for (self->i = 0; self->i < 2; self->i++) {
		MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[self->i]);
		CHECK_EQ(self->rc, 0);
	}
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(self->rc < 0 || !self->tell ? self->rc : self->cut[0] + self->cut[1]);
	MAG_END;
}

Test(tls_transfer, one_task_sends_and_one_receives_at_each_end)
{
	RUN(both_ways, .patience = MAG_NEVER);
}

Test(tls_transfer, a_receive_that_was_cut_short_loses_nothing)
{
	RUN(both_ways, .patience = 20 * MAG_MICROSECOND);
}

Test(tls_transfer, on_many_schedules)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		int64_t cut = mag_sim_run(seed, NULL, both_ways, .patience = 30 * MAG_MICROSECOND, .tell = true);

		cr_assert_gt(cut, 0, "seed %d", (int)seed);
	}
}

/* A peer that does not read: the send is cut short, says how much it has taken, and the rest goes on from there. */
struct stuck {
	mag_frame frame;
	MAG_NO_ARGS(stuck);
	struct pair p;
	mag_group group;
	mag_scope scope;
	unsigned char *data;
	size_t at, count;
	uint32_t cuts, hearer_cuts;
	int64_t rc, why;
};

static MAG_TASK(stuck)
{
	MAG_BEGIN(stuck);
	MAG_CALL(self->rc, pair_open, .p = &self->p);
	CHECK_EQ(self->rc, 0);
	self->data = malloc(MUCH);
	for (size_t i = 0; i < MUCH; i++)
		self->data[i] = byte_at(i);
	self->at = 0;
	self->cuts = 0;
	do { /* until there is no room for more */
		MAG_WITH_TIMEOUT(&self->scope, MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_tls_send_all_count, &self->p.tls[0], self->data + self->at, MUCH - self->at,
			  &self->count);
		MAG_SCOPE_END(self->why, &self->scope);
		CHECK_EQ(self->rc, MAG_ECANCELED);
		self->at += self->count;
		self->cuts = self->count ? 0 : self->cuts + 1;
	} while (self->cuts < 4);
	CHECK(self->at > 0 && self->at < MUCH);
	self->hearer_cuts = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, hearer, .tls = &self->p.tls[1], .patience = MAG_NEVER, .cut = &self->hearer_cuts);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[0], NULL, 0); /* what was taken is sent */
	CHECK_EQ(self->rc, 0);
	CHECK(!self->p.tls[0].flight.data && !self->p.tls[0].out.data);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[0], self->data + self->at, MUCH - self->at);
	CHECK_EQ(self->rc, MUCH - self->at);
	MAG_AWAIT(self->rc, mag_tls_send_end, &self->p.tls[0]);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	free(self->data);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(tls_transfer, a_send_that_was_cut_short_says_how_much_it_has_taken)
{
	RUN(stuck);
}
