/* SPDX-License-Identifier: MIT */
/* test_handshake.c - what two ends agree on, whom they believe, and what is said when they do not. */
#include <magpie/sim.h>
#include <openssl/ssl.h>

#include "tls/ends.h"

static struct certs certs;

static void make_certs(void)
{
	certs = certs_make();
}

static void free_certs(void)
{
	certs_free(&certs);
}

TestSuite(tls_handshake, .init = make_certs, .fini = free_certs, .timeout = 60);

static void both(mag_tls_context *server, mag_tls_context *client, const struct leaf *leaf, mag_tls_context_options s,
		 mag_tls_context_options c)
{
	mag_tls_certificate site = shown(leaf);

	s.role = MAG_TLS_SERVER;
	s.certificates = &site;
	s.certificate_count = 1;
	c.role = MAG_TLS_CLIENT;
	if (!c.ca_pem)
		c.ca_pem = certs.ca.pem;
	cr_assert_eq(context_make(server, s), 0, "%s", mag_tls_context_why(server));
	cr_assert_eq(context_make(client, c), 0, "%s", mag_tls_context_why(client));
}

static void end_both(mag_tls_context *server, mag_tls_context *client)
{
	cr_assert_eq(mag_tls_context_fini(server), 0);
	cr_assert_eq(mag_tls_context_fini(client), 0);
}

#define O(...) ((mag_tls_context_options){ __VA_ARGS__ })

/* One conversation with contexts made for it. */
static struct talk talk_with(const struct leaf *leaf, const char *host, mag_tls_context_options s, mag_tls_context_options c)
{
	mag_tls_context server, client;
	struct talk t = { .server = &server, .client = &client, .host = host };

	both(&server, &client, leaf, s, c);
	RUN(talking, .talk = &t);
	end_both(&server, &client);
	return t;
}

Test(tls_handshake, both_ends_know_what_they_have_agreed_on)
{
	struct talk t = talk_with(&certs.site, "example.org", O(.alpn = "h2,http/1.1"), O(.alpn = "http/1.1,other"));

	WENT_WELL(&t);
	for (int i = 0; i < WAYS; i++) {
		cr_assert_str_eq(t.fate[i].alpn, "http/1.1");
		cr_assert_str_eq(t.fate[i].version, "TLSv1.3");
		cr_assert_str_eq(t.fate[i].sni, "example.org");
		cr_assert_eq(t.fate[i].fault, MAG_TLS_FINE);
	}
	cr_assert_str_eq(t.fate[0].peer, "CN=site");
	cr_assert_str_eq(t.fate[1].peer, "");
}

Test(tls_handshake, an_address_is_verified_and_not_named)
{
	struct talk t = talk_with(&certs.site, "127.0.0.1", O(.alpn = "h2"), O(.alpn = NULL));

	WENT_WELL(&t);
	cr_assert_str_eq(t.fate[1].sni, "");
	cr_assert_str_eq(t.fate[1].alpn, "");
	t = talk_with(&certs.wild, "a.example.net.", O(.offload = true), O(.offload = true));
	WENT_WELL(&t);
}

/* What the client finds wrong, and that the server hears of it. */
static void client_refuses(const struct leaf *leaf, const char *host, const char *ca, enum mag_tls_fault fault)
{
	struct talk t = talk_with(leaf, host, O(.allow_expired = true), O(.ca_pem = ca));

	cr_assert_eq(t.fate[0].handshake, -EKEYREJECTED, "%s: %s", host, mag_errname(t.fate[0].handshake));
	cr_assert_eq(t.fate[0].fault, fault, "%s: %d %s", host, t.fate[0].fault, t.fate[0].why);
	cr_assert_neq(strstr(t.fate[0].why, host), NULL, "%s", t.fate[0].why);
	cr_assert_neq(strstr(t.fate[0].why, "that of /CN="), NULL, "%s", t.fate[0].why);
	cr_assert_eq(t.fate[1].fault, MAG_TLS_ALERT, "%s", t.fate[1].why);
	cr_assert_gt(t.fate[1].alert, 0);
}

Test(tls_handshake, a_certificate_that_is_not_good_is_refused)
{
	client_refuses(&certs.site, "example.com", NULL, MAG_TLS_HOST);
	client_refuses(&certs.site, "127.0.0.2", NULL, MAG_TLS_HOST);
	client_refuses(&certs.wild, "example.net", NULL, MAG_TLS_HOST);
	client_refuses(&certs.wild, "a.b.example.net", NULL, MAG_TLS_HOST);
	client_refuses(&certs.expired, "example.org", NULL, MAG_TLS_EXPIRED);
	client_refuses(&certs.future, "example.org", NULL, MAG_TLS_NOT_YET);
	client_refuses(&certs.foreign, "example.org", NULL, MAG_TLS_UNTRUSTED);
	client_refuses(&certs.site, "example.org", certs.other.pem, MAG_TLS_UNTRUSTED);
}

Test(tls_handshake, who_verifies_nothing_talks_to_anybody)
{
	struct talk t = talk_with(&certs.expired, "example.com", O(.allow_expired = true), O(.verify = MAG_TLS_VERIFY_NONE));

	WENT_WELL(&t);
	t = talk_with(&certs.foreign, NULL, O(.role = 0), O(.verify = MAG_TLS_VERIFY_NONE));
	WENT_WELL(&t);
}

Test(tls_handshake, clients_show_certificates_where_they_must)
{
	mag_tls_certificate good = shown(&certs.client), bad = shown(&certs.foreign);
	mag_tls_context_options s = { .ca_pem = certs.ca.pem, .verify = MAG_TLS_VERIFY_REQUIRED };
	struct talk t = talk_with(&certs.site, "example.org", s, O(.certificates = &good, .certificate_count = 1));

	WENT_WELL(&t);
	cr_assert_str_eq(t.fate[1].peer, "CN=somebody");
	for (enum mag_tls_version v = MAG_TLS_1_2; v <= MAG_TLS_1_3; v++) {
		t = talk_with(&certs.site, "example.org", s, O(.min_version = v));
		cr_assert_eq(t.fate[1].handshake, -EKEYREJECTED);
		cr_assert_eq(t.fate[1].fault, MAG_TLS_NO_CERTIFICATE, "%s", t.fate[1].why);
		cr_assert_eq(t.fate[0].fault, MAG_TLS_ALERT, "%s", t.fate[0].why);
		cr_assert_eq(t.fate[0].heard, -EPROTO); /* of 1.3 a client knows only when it receives */
	}
	t = talk_with(&certs.site, "example.org", s, O(.certificates = &bad, .certificate_count = 1));
	cr_assert_eq(t.fate[1].handshake, -EKEYREJECTED);
	cr_assert_eq(t.fate[1].fault, MAG_TLS_UNTRUSTED, "%s", t.fate[1].why);

	s.verify = MAG_TLS_VERIFY_OPTIONAL;
	t = talk_with(&certs.site, "example.org", s, O(.role = 0));
	WENT_WELL(&t);
	t = talk_with(&certs.site, "example.org", s, O(.certificates = &bad, .certificate_count = 1));
	cr_assert_eq(t.fate[1].handshake, -EKEYREJECTED);
}

Test(tls_handshake, nothing_in_common_is_said)
{
	struct talk t = talk_with(&certs.site, "example.org", O(.alpn = "h2"), O(.alpn = "http/1.1"));

	cr_assert_eq(t.fate[1].handshake, -EPROTO);
	cr_assert_eq(t.fate[1].fault, MAG_TLS_UNCOMMON, "%s", t.fate[1].why);
	cr_assert_eq(t.fate[0].alert, 120, "%s", t.fate[0].why); /* no_application_protocol */
}

/* The second conversation goes on with the first one's secrets; not after a reload, nor without tickets. */
Test(tls_handshake, sessions_are_resumed)
{
	for (int way = 0; way < 4; way++) {
		mag_tls_certificate site = shown(&certs.site);
		mag_tls_context_options again = { .size = sizeof(again), .role = MAG_TLS_SERVER, .certificates = &site,
						  .certificate_count = 1 };
		mag_tls_context server, client;
		struct talk t = { .server = &server, .client = &client, .host = "example.org" };

		both(&server, &client, &certs.site, O(.no_tickets = way == 3), O(.no_tickets = way == 2));
		RUN(talking, .talk = &t);
		WENT_WELL(&t);
		cr_assert(!t.fate[0].resumed && !t.fate[1].resumed);
		if (way == 1)
			cr_assert_eq(mag_tls_context_reload(&server, &again), 0);
		RUN(talking, .talk = &t);
		WENT_WELL(&t);
		cr_assert_eq(t.fate[0].resumed, way == 0, "way %d", way);
		cr_assert_eq(t.fate[1].resumed, way == 0, "way %d", way);
		cr_assert_str_eq(t.fate[0].peer, "CN=site");
		t.host = "127.0.0.1"; /* another host's ticket is not taken */
		RUN(talking, .talk = &t);
		WENT_WELL(&t);
		cr_assert(!t.fate[0].resumed);
		end_both(&server, &client);
	}
}

Test(tls_handshake, a_ticket_is_used_once)
{
	mag_tls_context server, client;
	struct talk t = { .server = &server, .client = &client, .host = "example.org" };
	mag_tls first, second;

	both(&server, &client, &certs.site, O(.role = 0), O(.role = 0));
	RUN(talking, .talk = &t);
	WENT_WELL(&t);
	cr_assert_eq(mag_tls_init(&first, &client, MAG_FD_NONE, "example.org"), 0);
	cr_assert_eq(mag_tls_init(&second, &client, MAG_FD_NONE, "example.org"), 0);
	cr_assert_not_null(SSL_get_session(first.ssl));
	cr_assert_null(SSL_get_session(second.ssl));
	mag_tls_fini(&first);
	mag_tls_fini(&second);
	end_both(&server, &client);
}

/* One end talks TLS; what the other one says is given, and then it is silent, or closes. */
struct babble {
	mag_frame frame;
	MAG_ARGS(babble, mag_tls_context *context; const char *host; const char *says; size_t len; bool close;
		 int64_t want; enum mag_tls_fault fault;);
	mag_fd pair[2];
	mag_tls tls;
	int64_t rc;
	char buf[8];
};

static MAG_TASK(babble)
{
	MAG_BEGIN(babble);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	CHECK_EQ(mag_tls_init(&self->tls, self->context, self->pair[0], self->host), 0);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->tls, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, -ENOTCONN);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, "x", 1);
	CHECK_EQ(self->rc, -ENOTCONN);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->tls);
	CHECK_EQ(self->rc, -ENOTCONN);
	MAG_AWAIT(self->rc, mag_send_all, self->pair[1], self->says, self->len);
	if (self->close)
		MAG_AWAIT(self->rc, mag_shutdown, self->pair[1], SHUT_WR);
	MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
	CHECK_EQ(self->rc, self->want);
	CHECK_EQ(mag_tls_fault(&self->tls), self->fault);
	CHECK(!self->fault == !*mag_tls_why(&self->tls));
	if (self->fault) { /* it stays so */
		MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
		CHECK_EQ(self->rc, self->want);
		MAG_AWAIT(self->rc, mag_tls_recv, &self->tls, self->buf, sizeof(self->buf));
		CHECK_EQ(self->rc, self->want);
	}
	mag_tls_fini(&self->tls);
	CLOSE(self->pair[0]);
	CLOSE(self->pair[1]);
	MAG_RETURN(0);
	MAG_END;
}

#define BABBLE(text, ...) babble, .says = (text), .len = sizeof(text) - 1, __VA_ARGS__

Test(tls_handshake, what_is_no_tls_is_refused_and_who_is_silent_is_left)
{
	mag_tls_context server, client;

	both(&server, &client, &certs.site, O(.role = 0), O(.role = 0));
	RUN(BABBLE("GET / HTTP/1.1\r\n\r\n", .context = &server, .want = -EPROTO, .fault = MAG_TLS_PROTOCOL));
	RUN(BABBLE("220 mail ready\r\n", .context = &client, .host = "example.org", .want = -EPROTO,
		   .fault = MAG_TLS_PROTOCOL));
	RUN(BABBLE("\x16\x03\x01\xff\xff", .context = &server, .want = -EPROTO, .fault = MAG_TLS_PROTOCOL));
	RUN(BABBLE("\x15\x03\x03\x00\x02\x02\x28", .context = &client, .host = "example.org", .want = -EPROTO,
		   .fault = MAG_TLS_ALERT));
	RUN(BABBLE("\x15\x03\x03\x00\x02\x01\x00", .context = &client, .host = "example.org", .want = MAG_EEOF,
		   .fault = MAG_TLS_TRUNCATED));
	RUN(BABBLE("", .context = &server, .close = true, .want = MAG_EEOF, .fault = MAG_TLS_TRUNCATED));
	end_both(&server, &client);
	both(&server, &client, &certs.site, O(.handshake_ns = 20 * MAG_MILLISECOND), O(.role = 0));
	RUN(BABBLE("\x16\x03", .context = &server, .want = MAG_ETIMEDOUT));
	end_both(&server, &client);
}

Test(tls_handshake, sessions_that_cannot_be_made_say_why)
{
	mag_tls_context server, client;
	mag_tls tls;
	char long_name[300];

	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = 0;
	both(&server, &client, &certs.site, O(.role = 0), O(.role = 0));
	cr_assert_eq(mag_tls_init(&tls, &client, MAG_FD_NONE, NULL), -EINVAL);
	cr_assert_not_null(strstr(mag_tls_why(&tls), "no host"));
	cr_assert_eq(mag_tls_init(&tls, &server, MAG_FD_NONE, "example.org"), -EINVAL);
	cr_assert_eq(mag_tls_init(&tls, &client, MAG_FD_NONE, "exa mple.org"), -EINVAL);
	cr_assert_eq(mag_tls_init(&tls, &client, MAG_FD_NONE, ".example.org"), -EINVAL);
	cr_assert_eq(mag_tls_init(&tls, &client, MAG_FD_NONE, ""), -EINVAL);
	cr_assert_eq(mag_tls_init(&tls, &client, MAG_FD_NONE, long_name), -EINVAL);
	cr_assert_eq(mag_tls_init(&tls, NULL, MAG_FD_NONE, "a"), -EINVAL);
	cr_assert_eq(mag_tls_init(NULL, &client, MAG_FD_NONE, "a"), -EINVAL);
	mag_tls_fini(&tls); /* was not made */
	mag_tls_fini(NULL);
	cr_assert_eq(mag_tls_init(&tls, &client, MAG_FD_NONE, "a"), 0);
	cr_assert_eq(mag_tls_context_fini(&client), -EBUSY);
	cr_assert_null(mag_tls_alpn(&tls));
	cr_assert_null(mag_tls_version_name(&tls));
	cr_assert_null(mag_tls_cipher(&tls));
	cr_assert(!mag_tls_has_more(&tls) && !mag_tls_resumed(&tls));
	cr_assert_eq(mag_tls_peer(&tls, long_name, 0), -EINVAL);
	cr_assert_eq(mag_tls_peer(&tls, long_name, 3), -ENOENT);
	mag_tls_fini(&tls);
	end_both(&server, &client);
}

/* The same on made-up machines: short and late operations, tasks that move. */
Test(tls_handshake, on_many_schedules)
{
	mag_tls_context server, client;

	both(&server, &client, &certs.site, O(.offload = true), O(.role = 0));
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct talk t = { .server = &server, .client = &client, .host = "example.org" };

		cr_assert_eq(mag_sim_run(seed, NULL, talking, .talk = &t), 0, "seed %d", (int)seed);
		WENT_WELL(&t);
	}
	end_both(&server, &client);
}
