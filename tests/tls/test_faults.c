/* SPDX-License-Identifier: MIT */
/* test_faults.c - a connection that breaks at each byte, comes in pieces of any size, operations that are cancelled at each
 * place. */
#include "tls/ends.h"

static struct certs certs;
static mag_tls_context server, client;

static void contexts(enum mag_tls_version version)
{
	mag_tls_certificate site = shown(&certs.site);

	CONTEXT(&server, .role = MAG_TLS_SERVER, .certificates = &site, .certificate_count = 1, .no_tickets = true);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem, .min_version = version, .no_tickets = true);
}

static void make_contexts(void)
{
	certs = certs_make();
	contexts(MAG_TLS_1_2);
}

static void free_contexts(void)
{
	cr_assert_eq(mag_tls_context_fini(&server), 0);
	cr_assert_eq(mag_tls_context_fini(&client), 0);
	certs_free(&certs);
}

TestSuite(tls_faults, .init = make_contexts, .fini = free_contexts, .timeout = 120);

#if defined(MAGI_TSAN) || defined(MAGI_ASAN)
enum { STRIDE = 17 };
#else
enum { STRIDE = 1 };
#endif

/* As many conversations as there are bytes, or places to be cancelled at, on one worker. */
struct series {
	mag_frame frame;
	MAG_ARGS(series, struct talk *talk; int way; size_t from; size_t to; size_t step; bool cancel;);
	size_t at;
	int64_t rc;
	uint32_t cut_in_handshake, cancelled;
};

/* Nobody may believe that all was well if it was not; whoever was cut has an error, and an error has words. */
static bool honest(const struct talk *t, int way)
{
	const struct fate *hurt = &t->fate[way == TO_SERVER];

	for (int i = 0; i < WAYS; i++) {
		const struct fate *f = &t->fate[i];

		if (f->handshake == -EAGAIN || f->heard == -EAGAIN || (f->fault && !*f->why))
			return false;
	}
	return hurt->handshake < 0 || hurt->heard < 0 || hurt->end < 0;
}

static bool went_well(const struct talk *t)
{
	for (int i = 0; i < WAYS; i++) {
		if (t->fate[i].handshake || t->fate[i].heard != 18 || t->fate[i].end)
			return false;
	}
	return true;
}

static void begin_again(struct talk *t)
{
	memset(t->fate, 0, sizeof(t->fate));
	memset(t->passed, 0, sizeof(t->passed));
	t->cancels = 0;
}

static MAG_TASK(series)
{
	MAG_BEGIN(series);
	self->cut_in_handshake = self->cancelled = 0;
	for (self->at = self->from; self->at < self->to; self->at += self->step) {
		begin_again(self->talk);
		self->talk->cut[self->way] = self->cancel ? 0 : self->at;
		self->talk->cancel_at = self->cancel ? self->at : 0;
		MAG_CALL(self->rc, talking, .talk = self->talk);
		CHECK_EQ(self->rc, 0);
		if (self->cancel) {
			CHECK(went_well(self->talk));
			self->cancelled += self->talk->fate[0].cancelled + self->talk->fate[1].cancelled;
		} else {
			CHECK_SAYING(honest(self->talk, self->way), (int64_t)self->at);
			self->cut_in_handshake += self->talk->fate[self->way == TO_SERVER].handshake < 0;
		}
	}
	CHECK(self->cancel ? self->cancelled > 0 : self->cut_in_handshake > 10);
	MAG_RETURN(0);
	MAG_END;
}

static void on_one_worker(struct talk *t, int way, size_t from, size_t to, size_t step, bool cancel)
{
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	int64_t rc = LEDGER_RUN(&one, series, .talk = t, .way = way, .from = from, .to = to,
				.step = step, .cancel = cancel);

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0, "%lld", (long long)rc);
}

/* A whole conversation tells how many bytes there are each way. */
static struct talk whole(size_t piece)
{
	struct talk t = { .server = &server, .client = &client, .host = "example.org", .piece = piece };

	RUN(talking, .talk = &t);
	WENT_WELL(&t);
	return t;
}

Test(tls_faults, a_cut_at_any_byte_is_an_error_and_nothing_is_left)
{
	struct talk t = whole(0);
	size_t to_server = t.passed[TO_SERVER], to_client = t.passed[TO_CLIENT];

	cr_assert_gt(to_server, 300);
	cr_assert_gt(to_client, 600);
	on_one_worker(&t, TO_SERVER, 1, to_server - 40, STRIDE, false); /* before the last record's end */
	t.cut[TO_SERVER] = 0;
	on_one_worker(&t, TO_CLIENT, 1, to_client - 40, STRIDE, false);
}

Test(tls_faults, bytes_may_come_one_by_one)
{
	struct talk t = whole(1);

	cr_assert_eq(t.fate[0].fault, MAG_TLS_FINE);
	free_contexts();
	certs = certs_make();
	contexts(MAG_TLS_1_3);
	whole(1);
	whole(7);
}

Test(tls_faults, cancelled_anywhere_it_can_be_gone_on_with)
{
	struct talk t = whole(61);

	on_one_worker(&t, TO_SERVER, 1, t.passed[0] + t.passed[1], 61, true);
}

