/* SPDX-License-Identifier: MIT */
/* test_serve_middleware.c - plain middleware: it answers, or lets pass; and who sends several requests at once gets their
 * answers at once, as without it. On real sockets. */
#include <magpie/http_server.h>
#include <magpie/magpie.h>
#include <sched.h>
#include <stdio.h>

#include "support/client.h"

enum { TOGETHER = 16, HEARD = 16 << 10 };

#define KEY "X-Key: sesame\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n"

struct world {
	mag_runtime *rt;
	mag_http_server *server;
	mag_future done;
	mag_event ready;
	uint16_t port;
};

static struct world world;
static char heard[HEARD + 1];

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_text(http, 200, "hello");
}

struct waiting {
	mag_frame frame;
	MAG_ARGS(waiting, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(waiting)
{
	MAG_BEGIN(waiting);
	MAG_YIELD(self->rc);
	MAG_RETURN(mag_http_reply_text(self->http, 200, "waited"));
	MAG_END;
}

static int64_t guard(mag_http_exchange *http, void *user)
{
	(void)user;
	if (mag_http_field(http, "X-Key").length != 6)
		return mag_http_reply_status(http, 401);
	return MAG_HTTP_NEXT;
}

static int64_t sign(mag_http_exchange *http, void *user)
{
	int rc = mag_http_reply_header(http, "X-Signed", user);

	return rc < 0 ? rc : MAG_HTTP_NEXT;
}

/* Says that it lets pass when it has answered. */
static int64_t mixed_up(mag_http_exchange *http, void *user)
{
	(void)user;
	if (mag_http_field(http, "X-Mixed").length)
		mag_http_reply_status(http, 418);
	return MAG_HTTP_NEXT;
}

/* One that is a task, around. */
struct around {
	mag_frame frame;
	MAG_ARGS(around, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(around)
{
	MAG_BEGIN(around);
	MAG_AWAIT(self->rc, mag_http_next, self->http);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void ready(void *ctx, const mag_addr *at)
{
	(void)ctx;
	world.port = (uint16_t)mag_addr_port(at);
	mag_event_set(&world.ready);
}

static void start(bool task)
{
	const mag_http_server_options o = { .size = sizeof o, .ready = ready };
	const mag_runtime_options r = { .size = sizeof r, .workers = 1 };
	mag_http_server *s;
	mag_addr addr;
	int rc = 0;

	mag_event_init(&world.ready);
	cr_assert_eq(mag_http_server_create(&o, &world.server), 0);
	s = world.server;
	rc |= mag_http_server_use(s, MAG_HTTP_PLAIN(mixed_up), NULL);
	if (task)
		rc |= mag_http_server_use(s, MAG_HTTP_TASK(around), NULL);
	rc |= mag_http_server_use(s, MAG_HTTP_PLAIN(guard), NULL);
	rc |= mag_http_server_use(s, MAG_HTTP_PLAIN(sign), (void *)(uintptr_t) "yes");
	rc |= mag_http_server_route(s, "GET", "/hello", MAG_HTTP_PLAIN(hello), NULL);
	rc |= mag_http_server_route(s, "GET", "/waits", MAG_HTTP_TASK(waiting), NULL);
	cr_assert_eq(rc, 0);
	mag_addr_parse(&addr, "127.0.0.1:0");
	mag_http_server_listen(s, &addr);
	if (mag_runtime_create(&r, &world.rt) == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	mag_future_init(&world.done);
	cr_assert_eq(mag_spawn_from(world.rt, &world.done, mag_http_serve, .server = s), 0);
	while (!mag_event_is_set(&world.ready))
		sched_yield();
}

static void stop(void)
{
	int64_t rc;

	mag_http_server_stop(world.server);
	cr_assert_eq(mag_future_wait(&world.done, &rc, MAG_NEVER), 0);
	cr_assert_eq(rc, 0);
	mag_future_fini(&world.done);
	cr_assert_eq(mag_runtime_destroy(world.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	mag_http_server_destroy(world.server);
}

/* All that comes, up to the end. */
static void ask(const char *requests)
{
	int fd = client_call(world.port);
	size_t n = 0;
	ssize_t got;

	cr_assert_geq(fd, 0);
	client_ask(fd, requests);
	while ((got = recv(fd, heard + n, HEARD - n, 0)) > 0)
		n += (size_t)got;
	cr_assert_eq(got, 0);
	heard[n] = '\0';
	close(fd);
}

static int count(const char *what)
{
	int n = 0;

	for (const char *s = heard; (s = strstr(s, what)); s += strlen(what))
		n++;
	return n;
}

#define ANSWERED(status, requests)                                                              \
	do {                                                                                    \
		ask(requests);                                                                  \
		cr_assert(strncmp(heard, "HTTP/1.1 " status " ", 13) == 0, "%s", heard);        \
	} while (0)

static void answer_as_told(void)
{
	ANSWERED("200", GET("/hello") KEY "Connection: close\r\n\r\n");
	cr_assert(strstr(heard, "X-Signed: yes\r\n") && strstr(heard, "hello"), "%s", heard);
	ANSWERED("401", GET("/hello") "Connection: close\r\n\r\n");
	cr_assert_null(strstr(heard, "hello"));
	ANSWERED("200", GET("/waits") KEY "Connection: close\r\n\r\n");
	cr_assert(strstr(heard, "X-Signed: yes\r\n") && strstr(heard, "waited"), "%s", heard);
	ANSWERED("404", GET("/none") KEY "Connection: close\r\n\r\n");
	ANSWERED("401", GET("/none") "Connection: close\r\n\r\n");
	ANSWERED("418", GET("/hello") KEY "X-Mixed: 1\r\nConnection: close\r\n\r\n");
	cr_assert_eq(count("HTTP/1.1 "), 1, "%s", heard);
}

Test(serve_middleware, a_plain_one_answers_or_lets_pass, .timeout = 30)
{
	start(false);
	answer_as_told();
	stop();
}

Test(serve_middleware, it_may_stand_beside_tasks, .timeout = 30)
{
	start(true);
	answer_as_told();
	stop();
}

/* What is sent at once is there at once. */
Test(serve_middleware, answers_to_requests_that_come_together_go_out_together, .timeout = 30)
{
	char requests[2000] = "";
	ssize_t n;
	int fd;

	for (int i = 0; i < TOGETHER; i++)
		strcat(requests, GET("/hello") KEY "\r\n");
	start(false);
	fd = client_call(world.port);
	client_ask(fd, requests);
	n = recv(fd, heard, HEARD, 0);
	cr_assert_gt(n, 0);
	heard[n] = '\0';
	cr_assert_eq(count("\r\n\r\nhello"), TOGETHER, "%s", heard);
	close(fd);
	stop();
}
