/* SPDX-License-Identifier: MIT */
/* test_close.c - how a session ends: said or not, by garbage; and a ticket that has come in part. */
#include <magpie/sim.h>
#include <openssl/ssl.h>

#include "tls/pair.h"

TestSuite(tls_close, .init = set_up, .fini = tear_down, .timeout = 60);

/* The ends there are. */
struct ends {
	mag_frame frame;
	MAG_ARGS(ends, mag_tls_context *hasty;);
	struct pair p;
	mag_scope scope;
	mag_group group;
	int64_t rc, why;
	int i;
	char buf[64];
	unsigned char *waste;
};

struct answer_end {
	mag_frame frame;
	MAG_ARGS(answer_end, mag_tls *tls;);
	int64_t rc;
	char buf[64];
};

static MAG_TASK(answer_end)
{
	MAG_BEGIN(answer_end);
	MAG_AWAIT(self->rc, mag_tls_recv, self->tls, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_tls_send_all, self->tls, "still", 5);
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_tls_send_end, self->tls);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct hose {
	mag_frame frame;
	MAG_ARGS(hose, mag_tls *tls; const unsigned char *data;);
	int64_t rc;
};

static MAG_TASK(hose)
{
	MAG_BEGIN(hose);
	MAG_AWAIT(self->rc, mag_tls_send_all, self->tls, self->data, MAG_TLS_DISCARD_MAX + 1);
	MAG_RETURN(0);
	MAG_END;
}

static MAG_TASK(ends)
{
	MAG_BEGIN(ends);
	/* the socket ends, and nothing was said: an attacker may have cut it */
	MAG_CALL(self->rc, pair_open, .p = &self->p);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[0], "last", 4);
	MAG_AWAIT(self->rc, mag_shutdown, self->p.fd[0], SHUT_WR);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[1], self->buf, 2);
	CHECK_EQ(self->rc, 2);
	CHECK(mag_tls_has_more(&self->p.tls[1]));
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[1], self->buf, 64); /* also what has come */
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[1], self->buf, 64);
	CHECK_EQ(self->rc, 2);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[1], self->buf, 64);
	CHECK_EQ(self->rc, MAG_EEOF);
	CHECK_EQ(mag_tls_fault(&self->p.tls[1]), MAG_TLS_TRUNCATED);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[1], "x", 1);
	CHECK_EQ(self->rc, MAG_EEOF);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[1]);
	CHECK_EQ(self->rc, MAG_EEOF);
	MAG_CALL(self->rc, pair_close, .p = &self->p);

	/* the other end does not answer the end: it has its time; one that is cancelled can be gone on with */
	MAG_CALL(self->rc, pair_open, .p = &self->p, .client = self->hasty);
	CHECK_EQ(self->rc, 0);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[0]);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[0], self->buf, 64);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[0], "x", 1);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[0]);
	CHECK_EQ(self->rc, MAG_ETIMEDOUT);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, answer_end, .tls = &self->p.tls[1]);
	do
		MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[0]);
	while (self->rc == MAG_ETIMEDOUT);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	MAG_CALL(self->rc, pair_close, .p = &self->p);

	/* the other end sends for ever */
	MAG_CALL(self->rc, pair_open, .p = &self->p);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->group);
	self->waste = calloc(1, MAG_TLS_DISCARD_MAX + 1);
	MAG_AWAIT(self->rc, mag_tls_send_end, &self->p.tls[0]);
	MAG_SPAWN(self->rc, &self->group, hose, .tls = &self->p.tls[1], .data = self->waste);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[0]);
	CHECK_EQ(self->rc, -EMSGSIZE);
	MAG_GROUP_END(self->rc, &self->group);
	free(self->waste);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(tls_close, an_end_that_was_said_is_told_from_one_that_just_came)
{
	mag_tls_context hasty;

	CONTEXT(&hasty, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem, .shutdown_ns = 300 * MAG_MILLISECOND);
	RUN(ends, .hasty = &hasty);
	cr_assert_eq(mag_tls_context_fini(&hasty), 0);
}

/* Garbage where a record should be. */
struct garbage {
	mag_frame frame;
	MAG_NO_ARGS(garbage);
	struct pair p;
	int64_t rc;
	char buf[64];
};

static MAG_TASK(garbage)
{
	MAG_BEGIN(garbage);
	MAG_CALL(self->rc, pair_open, .p = &self->p);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_send_all, self->p.fd[0], "\x17\x03\x03\x00\x20 this was not encrypted by anybody", 37);
	CHECK_EQ(self->rc, 37);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[1], self->buf, 64);
	CHECK_EQ(self->rc, -EPROTO);
	CHECK_EQ(mag_tls_fault(&self->p.tls[1]), MAG_TLS_PROTOCOL);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[0], self->buf, 64); /* is told of it */
	CHECK_EQ(self->rc, -EPROTO);
	CHECK_EQ(mag_tls_alert(&self->p.tls[0]), 20);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[0], NULL, 64);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[0], self->buf, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[0], NULL, 1);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_AWAIT(self->rc, mag_tls_handshake, &self->p.tls[0]); /* there is none */
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_tls_send_end, &self->p.tls[0]);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->p.tls[0]);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_RETURN(0);
	MAG_END;
}

Test(tls_close, garbage_ends_the_session_at_both_ends)
{
	RUN(garbage);
}

/* A ticket in several records, of which one has come: OpenSSL sends nothing until it has them all. With a task that
 * receives, and with none. */
struct in_pieces {
	mag_frame frame;
	MAG_ARGS(in_pieces, bool heard;);
	struct pair p;
	mag_group group;
	mag_scope scope;
	size_t first, at; /* the end of the first record; what has come */
	int64_t rc, why, said, got;
	unsigned char ticket[4096], buf[16], word[16];
	size_t len;
};

static int fill_ticket(SSL *ssl, void *arg)
{
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), arg, 1500);
}

static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
				     SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl, (void)session, (void)name, (void)len, (void)status, (void)arg;
	return SSL_TICKET_RETURN_IGNORE;
}

static void make_ticket(struct in_pieces *self)
{
	static unsigned char data[1500];
	mag_tls *tls = &self->p.tls[1];

	cr_assert(SSL_CTX_set_session_ticket_cb(SSL_get_SSL_CTX(tls->ssl), fill_ticket, take_ticket, data));
	cr_assert(SSL_set_max_send_fragment(tls->ssl, 512) && SSL_new_session_ticket(tls->ssl));
	cr_assert(SSL_do_handshake(tls->ssl) == 1);
	self->len = tls->out.end;
	cr_assert(self->len > 1500 && self->len < sizeof(self->ticket));
	memcpy(self->ticket, tls->out.data, self->len);
	OPENSSL_free(tls->out.data);
	memset(&tls->out, 0, sizeof(tls->out));
	self->first = 5 + ((size_t)self->ticket[3] << 8 | self->ticket[4]);
	cr_assert(self->first < self->len);
}

struct word {
	mag_frame frame;
	MAG_ARGS(word, mag_tls *tls; unsigned char *buf; int64_t * rc; bool say;);
};

static MAG_TASK(word)
{
	MAG_BEGIN(word);
	if (self->say)
		MAG_AWAIT(*self->rc, mag_tls_send_all, self->tls, "hello", 5);
	else
		MAG_AWAIT(*self->rc, mag_tls_recv, self->tls, self->buf, 16);
	MAG_RETURN(0);
	MAG_END;
}

static MAG_TASK(in_pieces)
{
	MAG_BEGIN(in_pieces);
	MAG_CALL(self->rc, pair_open, .p = &self->p);
	CHECK_EQ(self->rc, 0);
	make_ticket(self);
	self->said = self->got = -EINPROGRESS;
	MAG_AWAIT(self->rc, mag_send_all, self->p.fd[1], self->ticket, self->first);
	do { /* until it has taken the first piece */
		MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[0], self->buf, 16);
		MAG_SCOPE_END(self->why, &self->scope);
		CHECK_EQ(self->rc, MAG_ECANCELED);
	} while (!SSL_in_init(self->p.tls[0].ssl));
	MAG_GROUP_BEGIN(&self->group);
	if (self->heard)
		MAG_SPAWN(self->rc, &self->group, word, .tls = &self->p.tls[0], .buf = self->buf, .rc = &self->got);
	MAG_SPAWN(self->rc, &self->group, word, .tls = &self->p.tls[0], .rc = &self->said, .say = true);
	for (self->at = self->first; self->at < self->len; self->at += (size_t)self->rc) {
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		CHECK(self->at > self->first || self->said == -EINPROGRESS);
		MAG_AWAIT(self->rc, mag_send_all, self->p.fd[1], self->ticket + self->at,
			  self->len - self->at < 700 ? self->len - self->at : 700);
		CHECK(self->rc > 0);
	}
	MAG_AWAIT(self->rc, mag_tls_recv, &self->p.tls[1], self->word, sizeof(self->word));
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->p.tls[1], "x", 1);
	CHECK_EQ(self->rc, 1);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->said, 5);
	if (!self->heard)
		MAG_AWAIT(self->got, mag_tls_recv, &self->p.tls[0], self->buf, 16);
	CHECK_EQ(self->got, 1);
	MAG_CALL(self->rc, pair_close, .p = &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(tls_close, a_send_waits_for_the_rest_of_a_ticket)
{
	RUN(in_pieces, .heard = true);
	RUN(in_pieces, .heard = false);
}
