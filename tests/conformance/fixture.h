/* SPDX-License-Identifier: MIT */
/* fixture.h - what the tests of the backend contract stand on: one body, run on each backend.
 *
 * CONFORMS(name) { … } makes seven tests of that name: on io_uring with all that this kernel has, on io_uring with all
 * that can be left out left out, on epoll with threads for what blocks and with neither these nor newer calls, and on
 * the three modes of the sim backend, there with several seeds. Each ends with the check that every request had one
 * terminal record, and that no request and no made-up descriptor is left. */
#ifndef MAGPIE_TESTS_CONFORMANCE_FIXTURE_H
#define MAGPIE_TESTS_CONFORMANCE_FIXTURE_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <magpie/error.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/epoll.h"
#include "io/sim.h"
#include "io/uring.h"
#include "support/fakehost.h"

#define FX_UNUSED __attribute__((unused))

enum {
	FX_SEEDS = 12,
	FX_LOG = 40000,   /* records of one test */
	FX_BATCH = 64,    /* of one poll */
	FX_PATIENCE = 5000, /* ms: what should come has not come */
	FX_HUSH = 20      /* ms: nothing more will come */
};

enum fx_kind { FX_URING, FX_URING_PLAIN, FX_EPOLL, FX_EPOLL_PLAIN, FX_COMPLETION, FX_READINESS, FX_HOSTED };

struct fixture {
	enum fx_kind kind;
	const struct magi_io_ops *ops;
	struct magi_world *world;
	struct magi_io *io;
	uint64_t next_token;
	struct magi_rec *log;
	int count;
	int buffers; /* given and not yet back */
	struct rlimit before;
	struct fake_host host;
};

static inline bool fx_is_uring(const struct fixture *f)
{
	return f->kind == FX_URING || f->kind == FX_URING_PLAIN;
}

static inline bool fx_is_epoll(const struct fixture *f)
{
	return f->kind == FX_EPOLL || f->kind == FX_EPOLL_PLAIN;
}

struct fx_job {
	int64_t (*fn)(void *arg);
	void *arg;
};

FX_UNUSED static void *fx_do_job(void *arg)
{
	struct fx_job job = *(struct fx_job *)arg;

	free(arg);
	job.fn(job.arg);
	return NULL;
}

/* A thread for each: the contract does not ask for more. */
FX_UNUSED static int fx_punt(void *ctx, int64_t (*fn)(void *arg), void *arg)
{
	struct fx_job *job = malloc(sizeof(*job));
	pthread_t thread;

	(void)ctx;
	*job = (struct fx_job){ fn, arg };
	cr_assert(pthread_create(&thread, NULL, fx_do_job, job) == 0);
	pthread_detach(thread);
	return 0;
}

/* One more io of the same world, owned by this thread; NULL: io_uring cannot be used here. */
FX_UNUSED static struct magi_io *fx_open_io(struct fixture *f)
{
	char why[200] = "";
	struct magi_io_params params = { .world = f->world, .why = why, .why_size = sizeof(why),
					 .punt = f->kind == FX_EPOLL ? fx_punt : NULL };
	struct magi_io *io = NULL;
	int rc;

	if (f->kind == FX_URING_PLAIN)
		rc = magi_uring_open(&io, &params, 0);
	else
		rc = f->ops->open(&io, &params);
	if (rc == MAG_EBACKEND)
		return NULL;
	cr_assert(rc == 0, "open: %d %s", rc, why);
	if (f->kind == FX_EPOLL_PLAIN)
		((struct magi_epoll *)io)->no_pwait2 = true;
	return io;
}

FX_UNUSED static void fx_take(void *buffer, void *ctx)
{
	struct fixture *f = ctx;

	f->buffers--;
	free(buffer);
}

FX_UNUSED static bool fx_open(struct fixture *f, enum fx_kind kind, uint64_t seed)
{
	*f = (struct fixture){ .kind = kind, .next_token = seed << 32 };
	f->ops = fx_is_uring(f) ? &magi_uring_ops : fx_is_epoll(f) ? &magi_epoll_ops : &magi_sim_ops;
	if (kind == FX_HOSTED) {
		fake_begin(&f->host, seed);
		f->world = f->host.world;
	} else if (f->ops == &magi_sim_ops) {
		f->world = magi_world_create(seed, kind == FX_COMPLETION ? MAGI_SIM_COMPLETION :
										   MAGI_SIM_READINESS);
		magi_world_auto_advance(f->world, true);
	}
	f->log = calloc(FX_LOG, sizeof(*f->log));
	f->io = fx_open_io(f);
	return f->io != NULL;
}

/* One poll of `io` that waits at most that long; its records go to the log. */
FX_UNUSED static int fx_poll_io(struct fixture *f, struct magi_io *io, uint32_t ms)
{
	uint64_t deadline = ms ? f->ops->now(io) + ms * UINT64_C(1000000) : 0;
	int n;

	cr_assert(f->count + FX_BATCH <= FX_LOG);
	n = f->ops->poll(io, deadline, f->log + f->count, FX_BATCH);
	cr_assert(n >= 0 && n <= FX_BATCH);
	for (int i = f->count; i < f->count + n; i++)
		f->buffers -= f->log[i].flags & MAGI_REC_BUFFER ? 1 : 0;
	f->count += n;
	return n;
}

FX_UNUSED static int fx_poll(struct fixture *f, uint32_t ms)
{
	return fx_poll_io(f, f->io, ms);
}

/* Polls until nothing comes any more. */
FX_UNUSED static void fx_settle(struct fixture *f)
{
	int calm = 0;

	while (calm < 4)
		calm = fx_poll(f, calm < 3 ? 0 : FX_HUSH) || f->ops->due(f->io) ? 0 : calm + 1;
}

FX_UNUSED static int fx_terminals(const struct fixture *f, uint64_t token)
{
	int n = 0;

	for (int i = 0; i < f->count; i++)
		n += f->log[i].token == token && !(f->log[i].flags & MAGI_REC_MORE);
	return n;
}

FX_UNUSED static int fx_records(const struct fixture *f, uint64_t token)
{
	int n = 0;

	for (int i = 0; i < f->count; i++)
		n += f->log[i].token == token;
	return n;
}

/* The terminal record, once it has come. */
FX_UNUSED static struct magi_rec fx_wait(struct fixture *f, uint64_t token)
{
	uint64_t patience = f->ops->now(f->io) + FX_PATIENCE * UINT64_C(1000000);
	int looked = 0;

	for (;;) {
		for (; looked < f->count; looked++) {
			if (f->log[looked].token == token && !(f->log[looked].flags & MAGI_REC_MORE))
				return f->log[looked];
		}
		cr_assert(f->ops->now(f->io) < patience, "no terminal record has come");
		fx_poll(f, FX_PATIENCE);
	}
}

/* Waits until there are n records of that token. */
FX_UNUSED static void fx_wait_records(struct fixture *f, uint64_t token, int n)
{
	uint64_t patience = f->ops->now(f->io) + FX_PATIENCE * UINT64_C(1000000);

	while (fx_records(f, token) < n) {
		cr_assert(f->ops->now(f->io) < patience, "%d records of %d have come", fx_records(f, token), n);
		fx_poll(f, FX_PATIENCE);
	}
}

FX_UNUSED static uint64_t fx_submit(struct fixture *f, struct magi_req req)
{
	req.token = ++f->next_token;
	f->ops->submit(f->io, &req);
	return req.token;
}

/* Submits it and waits for its result. */
FX_UNUSED static int fx_do(struct fixture *f, struct magi_req req)
{
	return fx_wait(f, fx_submit(f, req)).res;
}

FX_UNUSED static void fx_give(struct fixture *f, int n)
{
	for (; n; n--) {
		cr_assert(f->ops->give(f->io, malloc(MAGI_BUFFER_BYTES)));
		f->buffers++;
	}
}

/* Frees the buffers that records have given away, so that each is freed once. */
FX_UNUSED static void fx_free_buffers(struct fixture *f)
{
	for (int i = 0; i < f->count; i++) {
		if (f->log[i].flags & MAGI_REC_BUFFER)
			free(f->log[i].buffer);
		f->log[i].buffer = NULL;
	}
}

FX_UNUSED static void fx_close(struct fixture *f)
{
	if (f->io) {
		fx_settle(f);
		cr_assert(f->ops->pending(f->io) == 0, "%u requests are left", f->ops->pending(f->io));
		for (uint64_t token = f->next_token; token && f->count < 4000 && token & 0xffffffff; token--)
			cr_assert(fx_terminals(f, token) == 1, "token %llx: %d terminal records",
				  (unsigned long long)token, fx_terminals(f, token));
		f->ops->close(f->io, fx_take, f);
	}
	fx_free_buffers(f);
	cr_assert(f->buffers == 0, "%d buffers are lost", f->buffers);
	if (f->world) {
		cr_assert(magi_world_open_fds(f->world) == 0, "%u descriptors are left", magi_world_open_fds(f->world));
		if (f->kind == FX_HOSTED)
			fake_end(&f->host);
		else
			magi_world_destroy(f->world);
	}
	free(f->log);
}

FX_UNUSED static void fx_close_fd(struct fixture *f, int fd)
{
	cr_assert((f->world ? magi_world_close(f->world, fd) : close(fd)) == 0);
}

FX_UNUSED static void fx_pair(struct fixture *f, int fds[2])
{
	cr_assert((f->world ? magi_world_pair(f->world, fds) :
			      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) == 0);
}

FX_UNUSED static void fx_pipe(struct fixture *f, int fds[2])
{
	cr_assert((f->world ? magi_world_pipe(f->world, fds) : pipe2(fds, O_CLOEXEC)) == 0);
}

FX_UNUSED static int fx_file(struct fixture *f, const char *bytes, size_t size)
{
	int fd;

	if (f->world)
		return magi_world_file(f->world, bytes, size);
	fd = memfd_create("fixture", MFD_CLOEXEC);
	cr_assert(fd >= 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	return fd;
}

FX_UNUSED static int fx_socket(struct fixture *f)
{
	return f->world ? magi_world_socket(f->world) : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

FX_UNUSED static int fx_listener(struct fixture *f, struct sockaddr_storage *address, socklen_t *size)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	if (f->world) {
		fd = magi_world_listener(f->world);
		*size = magi_world_address(fd, address);
		return fd;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*size = sizeof(*address);
	cr_assert(bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, 64) == 0 &&
		  getsockname(fd, (struct sockaddr *)address, size) == 0);
	return fd;
}

FX_UNUSED static int fx_connect(struct fixture *f, struct sockaddr_storage *address, socklen_t size)
{
	int fd = fx_socket(f);
	int rc = fx_do(f, (struct magi_req){ .code = MAGI_IO_CONNECT, .fd = fd, .addr = address, .len = size });

	cr_assert(rc == 0, "connect: %d", rc);
	return fd;
}

/* The system's next descriptor: the same again when none has leaked. */
FX_UNUSED static int fx_next_fd(void)
{
	int fd = dup(0);

	cr_assert(fd >= 0);
	close(fd);
	return fd;
}

/* While on, no descriptor can be made. */
FX_UNUSED static void fx_no_fds(struct fixture *f, bool on)
{
	struct rlimit now;

	if (f->world) {
		magi_world_limit_fds(f->world, on ? magi_world_open_fds(f->world) : UINT32_MAX);
		return;
	}
	if (!on) {
		setrlimit(RLIMIT_NOFILE, &f->before);
		return;
	}
	getrlimit(RLIMIT_NOFILE, &f->before);
	now = f->before;
	now.rlim_cur = (rlim_t)fx_next_fd(); /* numbers below that are all in use */
	setrlimit(RLIMIT_NOFILE, &now);
}

/* Sends all, in as many operations as it takes. */
FX_UNUSED static void fx_send_all(struct fixture *f, int fd, const char *bytes, uint32_t size)
{
	while (size) {
		int n = fx_do(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = fd, .addr = (void *)(uintptr_t)bytes,
						    .len = size });

		cr_assert(n > 0, "send: %d", n);
		bytes += n;
		size -= (uint32_t)n;
	}
}

/* Receives exactly that many. */
FX_UNUSED static void fx_recv_all(struct fixture *f, int fd, char *bytes, uint32_t size)
{
	while (size) {
		int n = fx_do(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fd, .addr = bytes, .len = size });

		cr_assert(n > 0, "recv: %d", n);
		bytes += n;
		size -= (uint32_t)n;
	}
}

/* For what needs the system's own files, or real threads: a hosted world has none. */
#define FX_NEEDS_SYSTEM(f)                 \
	do {                               \
		if ((f)->kind == FX_HOSTED) \
			return;            \
	} while (0)

FX_UNUSED static void fx_run(enum fx_kind kind, void (*body)(struct fixture *f))
{
	bool made_up = kind == FX_COMPLETION || kind == FX_READINESS || kind == FX_HOSTED;

	for (uint64_t seed = 1; seed <= (made_up ? FX_SEEDS : 1); seed++) {
		struct fixture f;
		bool opened = fx_open(&f, kind, seed);

		if (opened)
			body(&f);
		fx_close(&f);
		if (!opened)
			cr_skip_test("io_uring cannot be used here");
	}
}

#define FX_TEST(suite, name, kind)               \
	Test(suite, name, .timeout = 30)         \
	{                                        \
		fx_run(kind, name);              \
	}
#define CONFORMS(name)                           \
	static void name(struct fixture *f);     \
	FX_TEST(uring, name, FX_URING)           \
	FX_TEST(uring_plain, name, FX_URING_PLAIN) \
	FX_TEST(epoll, name, FX_EPOLL)           \
	FX_TEST(epoll_plain, name, FX_EPOLL_PLAIN) \
	FX_TEST(completion, name, FX_COMPLETION) \
	FX_TEST(readiness, name, FX_READINESS)   \
	FX_TEST(hosted, name, FX_HOSTED)         \
	static void name(struct fixture *f)

#endif
