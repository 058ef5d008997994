/* SPDX-License-Identifier: MIT */
/* test_serve_faults.c - magpie serve's own tasks while memory, descriptors and the kernel's patience run out: a client
 * gets an answer or its connection is closed, later ones get an answer, and no descriptor and no frame is left.
 *
 * Tried: a connection for which there is no task that is not closed, or not counted out; a door that gives up when it
 *        cannot be opened, so that its listener's clients wait for ever. */
#include <fcntl.h>
#include <magpie/impl/atomic.h>
#include <magpie/time.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <magpie/file.h>
#include <magpie/http_server.h>
#include <magpie/runtime.h>

#include "base/alloc.h"
#include "support/client.h"

enum { CLIENTS = 6 };

#define HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
#define GOOD "HTTP/1.1 200 OK"

/* What the server has told. */
struct told {
	uint32_t port; /* atomic: 0 until it serves */
	uint32_t shut; /* atomic: a door could not be opened at first */
};

static struct told told;

static void ready(void *ctx, const mag_addr *at)
{
	(void)ctx;
	magi_store_rel(&told.port, (uint32_t)mag_addr_port(at)); /* [port] */
}

static void trouble(void *ctx, const char *what, int64_t rc)
{
	(void)ctx;
	(void)rc;
	if (!strcmp(what, "cannot accept connections"))
		magi_store_rel(&told.shut, 1u); /* [shut] */
}

struct life {
	mag_runtime *rt;
	mag_future done;
	int64_t rc;
	bool again; /* there is more than one fault */
};

/* It serves, or may yet. */
static bool is_open(struct life *l)
{
	return !mag_future_poll(&l->done, NULL);
}

/* While faults come again and again a door may stay shut: each try to open it can meet one. */
static bool may_hope(struct life *l)
{
	return is_open(l) && !(l->again && magi_load_acq(&told.shut)); /* [shut] */
}

/* One client while faults come, until it has an answer, is closed, or has nothing to hope for. */
static void ask_and_hear(struct life *l)
{
	uint64_t patience = mag_deadline_in(CLIENT_PATIENCE_S * MAG_SECOND);
	int fd = client_call((uint16_t)told.port);
	char first;

	if (fd < 0)
		return;
	client_ask(fd, HELLO);
	while (recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN && may_hope(l)) {
		cr_assert(mag_now() < patience, "a client waits for ever");
		sched_yield();
	}
	close(fd);
}

/* It has ended, or is about to: a server that is refused at its own start may serve a few before it does. */
static bool ends(struct life *l)
{
	uint64_t patience = mag_deadline_in(CLIENT_PATIENCE_S * MAG_SECOND);

	while (!mag_future_poll(&l->done, NULL) && mag_now() < patience)
		sched_yield();
	return mag_future_poll(&l->done, NULL);
}

/* Enough clients that each listener has some, whichever the kernel chooses. */
static void expect_service(struct life *l)
{
	for (int i = 0; i < 2 * CLIENTS; i++) {
		int fd = client_call((uint16_t)told.port);
		bool served = false;

		if (fd >= 0) {
			client_ask(fd, HELLO);
			served = client_hears(fd, GOOD);
			close(fd);
		}
		if (!served) {
			cr_assert(ends(l), "it serves nobody any more");
			return;
		}
	}
}

static void until_nothing_is_left(mag_runtime *rt)
{
	mag_stats s = { .size = sizeof(s) };

	do
		cr_assert_eq(mag_runtime_stats(rt, &s), 0);
	while (s.frames);
	cr_assert_eq(s.fds, 0);
}

static void serve_with_faults(struct life *l, uint64_t *reached)
{
	while (!magi_load_acq(&told.port) && is_open(l)) /* [port] */
		sched_yield();
	for (int i = 0; i < CLIENTS && is_open(l); i++)
		ask_and_hear(l);
	*reached = magi_fault_reached();
	magi_fault_plan(0, 0);
	if (is_open(l))
		expect_service(l);
}

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_text(http, 200, "hello");
}

/* Serves a hello, or the files below a root. */
struct site {
	mag_frame frame;
	MAG_ARGS(site, mag_http_server *server; const char *root;);
	struct mag_http_directory files;
	int64_t rc, closed;
};

MAG_TASK(site)
{
	MAG_BEGIN(site);
	self->rc = 0;
	self->files = (struct mag_http_directory){ .root = MAG_FD_NONE };
	if (self->root)
		MAG_AWAIT(self->rc, mag_open, self->root, O_RDONLY | O_DIRECTORY, 0, &self->files.root);
	if (self->rc >= 0)
		self->rc = mag_http_server_route(self->server, "GET", "/{path...}",
						 self->root ? MAG_HTTP_TASK(mag_http_files) : MAG_HTTP_PLAIN(hello), &self->files);
	if (self->rc >= 0)
		MAG_CALL(self->rc, mag_http_serve, .server = self->server);
	if (self->files.root.generation)
		MAG_AWAIT(self->closed, mag_close, self->files.root);
	MAG_RETURN(self->rc);
	MAG_END;
}

static mag_http_server *new_server(struct mag_shutdown *down)
{
	const mag_http_server_options o = { .size = sizeof(o), .shutdown = down, .ready = ready, .trouble = trouble };
	mag_http_server *server;
	mag_addr addr;

	cr_assert_eq(mag_addr_parse(&addr, "127.0.0.1:0"), 0);
	cr_assert_eq(mag_http_server_create(&o, &server), 0);
	cr_assert_eq(mag_http_server_listen(server, &addr), 0);
	return server;
}

/* One life of a server. Returns how many fault sites were reached; *served: whether it did to the end. */
static uint64_t live(const char *root, uint32_t workers, uint64_t n, uint64_t every, bool *served)
{
	const mag_runtime_options o = { .size = sizeof(o), .workers = workers, .spin_us = 5 };
	mag_http_metrics metrics = { .size = sizeof(metrics) };
	struct mag_shutdown down;
	mag_http_server *server;
	uint64_t reached = n;
	struct life l = { .again = every };
	int before;

	told = (struct told){ 0 };
	mag_shutdown_init(&down, NULL);
	server = new_server(&down);
	before = client_descriptors();
	if (mag_runtime_create(&o, &l.rt) == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	mag_future_init(&l.done);
	magi_fault_plan(n, every);
	l.rc = mag_spawn_from(l.rt, &l.done, site, .server = server, .root = root);
	if (l.rc == 0)
		serve_with_faults(&l, &reached);
	magi_fault_plan(0, 0);
	*served = l.rc == 0 && is_open(&l);
	mag_shutdown_begin(&down);
	if (l.rc == 0)
		cr_assert_eq(mag_future_wait(&l.done, &l.rc, MAG_NEVER), 0);
	mag_future_fini(&l.done);
	cr_assert(!*served || l.rc == 0, "%s", mag_errname(l.rc));
	cr_assert_eq(mag_http_server_metrics(server, &metrics), 0);
	cr_assert_eq(metrics.connections, 0, "connections that are gone are counted");
	mag_http_server_destroy(server);
	until_nothing_is_left(l.rt);
	cr_assert_eq(mag_runtime_destroy(l.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	cr_assert_eq(client_descriptors(), before, "fault %llu, %llu", (unsigned long long)n,
		     (unsigned long long)every);
	cr_assert_eq(mag_shutdown_fini(&down), 0);
	return reached;
}

/* Each site in turn. They are not the same ones in each run, so a few runs more than one must miss the last. */
static void in_turn(const char *root, uint32_t workers, uint64_t every)
{
	int missed = 0, lives = 0, shut = 0;

	for (uint64_t n = 1; missed < 3; n++) {
		bool served;

		missed += live(root, workers, n, every, &served) < n;
		lives += served;
		shut += served && magi_load_acq(&told.shut); /* [shut] */
	}
	cr_assert_gt(lives, 10, "it served in %d of its lives", lives);
	/* each third may spare the door: how many sites there are is the backend's affair */
	cr_assert(shut > 0 || every, "it never served through a door that could not be opened at first");
}

Test(serve_faults, after_each_fault_in_turn_it_answers, .timeout = 120)
{
	in_turn(NULL, 1, 0);
	in_turn(NULL, 2, 0);
}

Test(serve_faults, after_each_fault_in_turn_it_answers_with_a_file, .timeout = 120)
{
	char root[] = "/tmp/magpie_serve_faults_XXXXXX", file[sizeof(root) + 8];
	int fd;

	cr_assert(mkdtemp(root));
	snprintf(file, sizeof(file), "%s/hello", root);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert(fd >= 0 && write(fd, "hello", 5) == 5 && close(fd) == 0);
	in_turn(root, 2, 0);
	unlink(file);
	rmdir(root);
}

Test(serve_faults, when_each_third_attempt_fails_nobody_waits_for_ever, .timeout = 120)
{
	in_turn(NULL, 2, 3);
}
