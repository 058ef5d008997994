/* SPDX-License-Identifier: MIT */
/* test_handshake.c - the handshake: what a request must have, what an answer, at every split. */
#include "websocket/memory.h"

#include <stdlib.h>

#include "websocket/head.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

Test(websocket_handshake, the_answer_to_a_key)
{
	static const char *const bad[] = { "", "x", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQAA",
					   "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j*Q==" };
	char accept[MAG_WEBSOCKET_ACCEPT_LEN + 1], key[MAG_WEBSOCKET_KEY_LEN + 1], again[MAG_WEBSOCKET_KEY_LEN + 1];

	cr_assert_eq(mag_websocket_accept_key(KEY, accept), 0);
	cr_assert_str_eq(accept, ACCEPT); /* RFC 6455, 1.3 */
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(mag_websocket_accept_key(bad[i], accept), -EINVAL, "%s", bad[i]);
	cr_assert_eq(mag_websocket_accept_key(NULL, accept), -EINVAL);
	for (int i = 0; i < 100; i++) {
		mag_websocket_make_key(key);
		cr_assert_eq(mag_websocket_accept_key(key, accept), 0, "%s", key);
		mag_websocket_make_key(again);
		cr_assert_str_neq(key, again);
	}
}

Test(websocket_handshake, what_a_request_must_have)
{
	const mag_websocket_request good = { "GET", "keep-alive, Upgrade", "WebSocket", "13", KEY, "x, superchat ,chat", NULL,
					     NULL };
	mag_websocket_request r = good;
	mag_websocket_answer a;

	cr_assert_eq(mag_websocket_upgrade(&r, NULL, NULL, &a), 101);
	cr_assert_str_eq(a.accept, ACCEPT);
	cr_assert_str_eq(a.protocol, "");
	cr_assert_str_eq(a.why, "");
	cr_assert_eq(mag_websocket_upgrade(&r, "chat,superchat", NULL, &a), 101);
	cr_assert_str_eq(a.protocol, "chat"); /* the server's best */
	cr_assert_eq(mag_websocket_upgrade(&r, "Chat,other", NULL, &a), 101);
	cr_assert_str_eq(a.protocol, "");
#define BAD(field, value, status)                                                            \
	do {                                                                                 \
		r = good;                                                                    \
		r.field = (value);                                                           \
		cr_assert_eq(mag_websocket_upgrade(&r, NULL, NULL, &a), (status), #field " " #value); \
		cr_assert_str_neq(a.why, "");                                                \
	} while (0)
	BAD(method, "POST", 400);
	BAD(method, NULL, 400);
	BAD(connection, "keep-alive", 400);
	BAD(connection, "upgraded", 400);
	BAD(connection, NULL, 400);
	BAD(upgrade, "h2c", 400);
	BAD(upgrade, NULL, 400);
	BAD(version, "8", 426);
	BAD(version, NULL, 426);
	BAD(key, "short", 400);
	BAD(key, NULL, 400);
}

/* Whose pages may connect. */
Test(websocket_handshake, a_page_of_another_site_is_refused)
{
	static const struct {
		const char *origin, *host, *origins;
		bool good;
	} asked[] = {
		{ NULL, "h", NULL, true },
		{ "https://h", "h", NULL, true },
		{ "http://H:8080", "h:8080 ", NULL, true },
		{ "https://h", "h", "https://other", true },
		{ "https://other", "h", "https://o, https://Other ", true },
		{ "https://other", "h", "*", true },
		{ "null", "h", "null", true },
		{ "https://other", "h", NULL, false },
		{ "https://other", "h", "", false },
		{ "https://h.other", "h", NULL, false },
		{ "https://h", "h.other", NULL, false },
		{ "https://h:81", "h", NULL, false },
		{ "https://h", "h:81", NULL, false },
		{ "https://h", NULL, NULL, false },
		{ "https://", "", NULL, false },
		{ "null", "null", NULL, false },
		{ "", "", "", false },
		{ "h", "h", NULL, false },
		{ "http://other", "h", "https://other", false },
		{ "https://other", "h", "https://other.org,https://an.other", false },
		{ "https://other,https://h", "h", "https://other", false },
	};
	mag_websocket_answer a;

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		const mag_websocket_request r = { "GET", "Upgrade", "websocket", "13", KEY, NULL, asked[i].host, asked[i].origin };

		cr_assert_eq(mag_websocket_upgrade(&r, NULL, asked[i].origins, &a), asked[i].good ? 101 : 403, "%zu", i);
		cr_assert_eq(!*a.why, asked[i].good);
	}
}

/* One end; the other one's bytes are given. */
struct shake {
	mag_frame frame;
	MAG_ARGS(shake, struct memory *memory; mag_websocket_options options; int64_t want; const char *protocol;);
	mag_websocket ws;
	mag_websocket_message m;
	char target[32];
	int64_t rc;
};

static MAG_TASK(shake)
{
	MAG_BEGIN(shake);
	self->options.size = sizeof(self->options);
	CHECK_EQ(mag_websocket_init(&self->ws, &over_memory, self->memory, &self->options), 0);
	if (self->options.role == MAG_WEBSOCKET_CLIENT)
		MAG_AWAIT(self->rc, mag_websocket_connect, &self->ws, "example.org", "/chat?a=b");
	else
		MAG_AWAIT(self->rc, mag_websocket_accept, &self->ws, self->target, sizeof(self->target));
	CHECK_EQ(self->rc, self->want);
	CHECK(self->rc != -EPROTO || *mag_websocket_why(&self->ws));
	if (self->rc == 0) {
		CHECK(self->options.role == MAG_WEBSOCKET_CLIENT || strcmp(self->target, "/chat?a=b") == 0);
		CHECK(!self->protocol == !mag_websocket_protocol(&self->ws));
		CHECK(!self->protocol || strcmp(self->protocol, mag_websocket_protocol(&self->ws)) == 0);
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->m); /* came right behind */
		CHECK_EQ(self->rc, 1);
		CHECK(self->m.len == 5 && memcmp(self->m.data, "first", 5) == 0);
	}
	mag_websocket_fini(&self->ws);
	MAG_RETURN(0);
	MAG_END;
}

struct shakes {
	mag_frame frame;
	MAG_ARGS(shakes, const struct bytes *in; mag_websocket_options options; int64_t want; const char *protocol;
		 const char *answer;);
	struct memory memory;
	size_t split;
	int64_t rc;
};

static MAG_TASK(shakes)
{
	MAG_BEGIN(shakes);
	for (self->split = 0; self->split <= self->in->n; self->split += self->in->n > 1000 ? 97 : 1) {
		memset(&self->memory, 0, sizeof(self->memory));
		self->memory.in = self->in;
		self->memory.split = self->split;
		self->memory.piece = self->split == self->in->n ? 1 : 0;
		MAG_CALL(self->rc, shake, .memory = &self->memory, .options = self->options, .want = self->want,
			 .protocol = self->protocol);
		CHECK_SAYING(self->rc == 0, (int64_t)self->split);
		CHECK(!self->answer || memmem(self->memory.out.b, self->memory.out.n, self->answer, strlen(self->answer)));
	}
	MAG_RETURN(0);
	MAG_END;
}

static struct bytes in;

static void shakes_with(const char *head, mag_websocket_options o, int64_t want, const char *protocol, const char *answer)
{
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	int64_t rc;

	in.n = 0;
	add(&in, head, strlen(head));
	if (want == 0)
		add_frame(&in, FIN | 1, o.role == MAG_WEBSOCKET_SERVER ? MASKED : PLAIN, "first", 5);
	rc = LEDGER_RUN(&one, shakes, .in = &in, .options = o, .want = want, .protocol = protocol, .answer = answer);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0, "%s", head);
}

#define SERVER(...) ((mag_websocket_options){ .role = MAG_WEBSOCKET_SERVER, ##__VA_ARGS__ })
#define GET "GET /chat?a=b HTTP/1.1\r\n"
#define HOST "Host: example.org\r\n"
#define REST "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"

Test(websocket_handshake, a_server_answers, .timeout = 60)
{
	shakes_with(GET HOST REST "\r\n", SERVER(), 0, NULL, "HTTP/1.1 101 Switching Protocols\r\n");
	shakes_with(GET REST "hOsT:\t example.org \r\n\r\n", SERVER(), 0, NULL, "Sec-WebSocket-Accept: " ACCEPT "\r\n");
	shakes_with(GET HOST REST "Sec-WebSocket-Protocol: a, chat\r\n\r\n", SERVER(.protocols = "chat,b"), 0, "chat",
		    "\r\nSec-WebSocket-Protocol: chat\r\n");
	/* lists may come in several fields (RFC 9110, 5.3) */
	shakes_with(GET "Connection: keep-alive\r\nUpgrade: x\r\nSec-WebSocket-Protocol: a\r\n" HOST REST
			"Sec-WebSocket-Protocol: chat\r\n\r\n",
		    SERVER(.protocols = "chat,b"), 0, "chat", "\r\nSec-WebSocket-Protocol: chat\r\n");
	shakes_with(GET HOST "\r\n", SERVER(), -EPROTO, NULL, "HTTP/1.1 400 Bad Request\r\n");
	shakes_with(GET REST "\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with(GET HOST HOST REST "\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with(GET HOST REST "Sec-WebSocket-Key: " KEY "\r\n\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with("GET / HTTP/1.0\r\n" HOST REST "\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with("GET\r\n\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with("POST / HTTP/1.1\r\n" HOST REST "\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with(GET HOST REST "bad field\r\n\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with(GET HOST REST "bad: \x01\r\n\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with(GET HOST REST "bad: a\nb: c\r\n\r\n", SERVER(), -EPROTO, NULL, "400");
	shakes_with(GET HOST "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY
			     "\r\nSec-WebSocket-Version: 12\r\n\r\n",
		    SERVER(), -EPROTO, NULL, "426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n");
	shakes_with(GET HOST "Origin: https://example.org \r\n" REST "\r\n", SERVER(), 0, NULL, "101");
	shakes_with(GET HOST "Origin: https://bad.example\r\n" REST "\r\n", SERVER(), -EPROTO, NULL,
		    "HTTP/1.1 403 Forbidden\r\n");
	shakes_with(GET HOST "Origin: https://bad.example\r\nOrigin: https://example.org\r\n" REST "\r\n", SERVER(.origins = "*"),
		    -EPROTO, NULL, "400");
	shakes_with(GET HOST "Origin: https://a.example\r\n" REST "\r\n", SERVER(.origins = "https://b.example,https://a.example"), 0,
		    NULL, "101");
	shakes_with(GET HOST REST, SERVER(), MAG_EEOF, NULL, NULL);
	shakes_with("", SERVER(), MAG_EEOF, NULL, NULL);
}

Test(websocket_handshake, a_head_has_a_limit, .timeout = 60)
{
	char *head = calloc(1, MAG_WEBSOCKET_HEAD_MAX + 100);

	strcpy(head, GET HOST "x: ");
	memset(head + strlen(head), 'a', MAG_WEBSOCKET_HEAD_MAX);
	shakes_with(head, SERVER(), MAG_ETOOLONG, NULL, NULL);
	free(head);
}

/* The key is made up, so the answer is made of what was asked. */
struct answering {
	struct memory m;
	const char *before, *after; /* around Sec-WebSocket-Accept; before NULL: the whole answer is `after` */
	struct bytes answer;
};

static mag_frame *answering_recv(mag_worker *w, mag_frame *f, void *stream, void *buf, size_t len)
{
	struct answering *a = stream;
	char accept[MAG_WEBSOCKET_ACCEPT_LEN + 1], key[MAG_WEBSOCKET_KEY_LEN + 1] = "";
	const char *asked = memmem(a->m.out.b, a->m.out.n, "Sec-WebSocket-Key: ", 19);

	if (!a->answer.n) {
		memcpy(key, asked + 19, MAG_WEBSOCKET_KEY_LEN);
		mag_websocket_accept_key(key, accept);
		if (a->before) {
			add(&a->answer, a->before, strlen(a->before));
			add(&a->answer, "Sec-WebSocket-Accept: ", 22);
			add(&a->answer, accept, strlen(accept));
		}
		add(&a->answer, a->after, strlen(a->after));
		add_frame(&a->answer, FIN | 1, PLAIN, "first", 5);
		a->m.in = &a->answer;
	}
	return memory_recv(w, f, &a->m, buf, len);
}

static mag_frame *answering_send(mag_worker *w, mag_frame *f, void *stream, const void *buf, size_t len, size_t *count)
{
	struct answering *a = stream;

	return memory_send(w, f, &a->m, buf, len, count);
}

static const mag_websocket_stream over_answers = { answering_recv, answering_send };

struct asks {
	mag_frame frame;
	MAG_ARGS(asks, struct answering *a; const char *host; const char *target; const char *protocols; int64_t want;
		 const char *why;);
	mag_websocket ws;
	mag_websocket_options o;
	mag_websocket_message m;
	int64_t rc;
};

static MAG_TASK(asks)
{
	MAG_BEGIN(asks);
	self->o = (mag_websocket_options){ .size = sizeof(self->o), .role = MAG_WEBSOCKET_CLIENT, .protocols = self->protocols };
	CHECK_EQ(mag_websocket_init(&self->ws, &over_answers, self->a, &self->o), 0);
	MAG_AWAIT(self->rc, mag_websocket_accept, &self->ws, NULL, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_websocket_connect, &self->ws, self->host, self->target);
	CHECK_EQ(self->rc, self->want);
	CHECK(!self->why || strstr(mag_websocket_why(&self->ws), self->why));
	if (self->rc == 0) {
		CHECK(!self->protocols || strcmp(mag_websocket_protocol(&self->ws), "chat") == 0);
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->m);
		CHECK_EQ(self->rc, 1);
	}
	mag_websocket_fini(&self->ws);
	MAG_RETURN(0);
	MAG_END;
}

static void asks_and_gets(const char *before, const char *after, const char *protocols, int64_t want, const char *why)
{
	static struct answering a;
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	int64_t rc;

	for (size_t piece = 0; piece < 2; piece++) {
		memset(&a, 0, sizeof(a));
		a.before = before;
		a.after = after;
		a.m.piece = piece;
		rc = LEDGER_RUN(&one, asks, .a = &a, .host = "example.org", .target = "/", .protocols = protocols, .want = want,
				.why = why);
		if (rc == MAG_EBACKEND)
			cr_skip_test("%s", mag_runtime_why());
		cr_assert_eq(rc, 0, "%s", after);
	}
}

#define OK "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

Test(websocket_handshake, what_an_answer_must_have, .timeout = 60)
{
	asks_and_gets(OK, "\r\n\r\n", NULL, 0, NULL);
	asks_and_gets(OK, " \t\r\nX: y\r\n\r\n", NULL, 0, NULL);
	asks_and_gets(OK, "\r\nSec-WebSocket-Protocol: chat\r\n\r\n", "b, chat", 0, NULL);
	asks_and_gets("HTTP/1.1 101 x\r\nConnection: close\r\nUpgrade:\r\nUpgrade: websocket\r\nConnection: x, upgrade\r\n",
		      "\r\n\r\n", NULL, 0, NULL);
	asks_and_gets(OK, "x\r\n\r\n", NULL, -EPROTO, "Accept");
	asks_and_gets(OK, "\r\nSec-WebSocket-Accept: x\r\n\r\n", NULL, -EPROTO, "Accept");
	asks_and_gets(NULL, OK "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n", NULL, -EPROTO, "Accept");
	asks_and_gets(NULL, OK "\r\n", NULL, -EPROTO, "Accept");
	asks_and_gets(OK, "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", NULL, -EPROTO, "extension");
	asks_and_gets(OK, "\r\nSec-WebSocket-Protocol: chat\r\n\r\n", NULL, -EPROTO, "protocol");
	asks_and_gets(OK, "\r\nSec-WebSocket-Protocol: Chat\r\n\r\n", "chat", -EPROTO, "protocol");
	asks_and_gets("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n", "\r\n\r\n", NULL, -EPROTO, "upgrade");
	asks_and_gets("HTTP/1.1 101 x\r\nConnection: upgrade\r\n", "\r\n\r\n", NULL, -EPROTO, "upgrade");
	asks_and_gets("HTTP/1.1 200 OK\r\n", "\r\n\r\n", NULL, -EPROTO, "another status");
	asks_and_gets("HTTP/1.1 1011 OK\r\n", "\r\n\r\n", NULL, -EPROTO, "another status");
	asks_and_gets(NULL, "220 mail ready\r\n\r\n", NULL, -EPROTO, "no HTTP");
	asks_and_gets(NULL, "HTTP/1.1 101 x\r\n: y\r\n\r\n", NULL, -EPROTO, "no HTTP");
}

static void asks_for(const char *host, const char *target, const char *protocols, int64_t want)
{
	static struct answering a;
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	int64_t rc;

	memset(&a, 0, sizeof(a));
	a.after = "no";
	rc = LEDGER_RUN(&one, asks, .a = &a, .host = host, .target = target, .protocols = protocols, .want = want);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0, "%s %s", host, target);
	cr_assert_eq(a.m.out.n, 0);
}

/* What would be another line of the request. */
Test(websocket_handshake, nothing_is_smuggled_into_a_request, .timeout = 60)
{
	char *target = calloc(1, MAG_WEBSOCKET_HEAD_MAX + 1);

	asks_for(NULL, "/", NULL, -EINVAL);
	asks_for("a", NULL, NULL, -EINVAL);
	asks_for("a", "chat", NULL, -EINVAL);
	asks_for("a\r\nX: y", "/", NULL, -EINVAL);
	asks_for("a", "/ HTTP/1.1\r\nX: y", NULL, -EINVAL);
	asks_for("a", "/a b", NULL, -EINVAL);
	asks_for("a", "/", "chat\r\nX: y", -EINVAL);
	memset(target, '/', MAG_WEBSOCKET_HEAD_MAX);
	asks_for("a", target, NULL, MAG_ETOOLONG);
	free(target);
}

Test(websocket_handshake, lists)
{
	char p[MAG_WEBSOCKET_PROTOCOL_MAX + 1], longer[70];

	memset(longer, 'x', sizeof(longer));
	longer[69] = 0;
	cr_assert(magi_head_has("a,, \tB ,c", "b"));
	cr_assert(!magi_head_has("ab", "a"));
	cr_assert(!magi_head_has("", "a"));
	cr_assert(!magi_head_has(NULL, "a"));
	cr_assert(!magi_head_protocol(longer, longer, p));
	cr_assert(!magi_head_protocol("a", NULL, p));
	cr_assert(magi_head_protocol(" a , b", "b,c", p));
	cr_assert_str_eq(p, "b");
}
