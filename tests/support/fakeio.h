/* SPDX-License-Identifier: MIT */
/* fakeio.h - one io of a hosted world, driven by the test itself: submit, wait for the terminal record. */
#ifndef MAGPIE_TESTS_FAKEIO_H
#define MAGPIE_TESTS_FAKEIO_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "support/fakehost.h"

#define FAKE_UNUSED __attribute__((unused))

enum { FAKE_RECORDS = 4096 };

struct fake_io {
	struct fake_host host;
	struct magi_io *io;
	uint64_t next_token;
	struct magi_rec log[FAKE_RECORDS];
	int count;
};

FAKE_UNUSED static void fake_open(struct fake_io *f, uint64_t seed)
{
	struct magi_io_params params = { 0 };

	fake_begin(&f->host, seed);
	params.world = f->host.world;
	f->next_token = 0;
	f->count = 0;
	cr_assert_eq(magi_sim_ops.open(&f->io, &params), 0);
}

FAKE_UNUSED static void fake_take(void *buffer, void *ctx)
{
	(void)ctx;
	free(buffer);
}

FAKE_UNUSED static void fake_close(struct fake_io *f)
{
	cr_assert_eq(magi_world_ops_pending(f->host.world), 0);
	magi_sim_ops.close(f->io, fake_take, NULL);
	fake_end(&f->host);
}

FAKE_UNUSED static uint64_t fake_submit(struct fake_io *f, struct magi_req req)
{
	req.token = ++f->next_token;
	magi_sim_ops.submit(f->io, &req);
	return req.token;
}

/* At most that long. */
FAKE_UNUSED static int fake_poll(struct fake_io *f, uint64_t ns)
{
	int n;

	cr_assert(f->count + 64 <= FAKE_RECORDS);
	n = magi_sim_ops.poll(f->io, ns ? magi_clock_ns() + ns : 0, f->log + f->count, 64);
	f->count += n;
	return n;
}

FAKE_UNUSED static void fake_pass(struct fake_io *f, uint64_t ns)
{
	uint64_t end = magi_clock_ns() + ns;

	while (magi_clock_ns() < end)
		fake_poll(f, end - magi_clock_ns());
}

FAKE_UNUSED static struct magi_rec *fake_find(struct fake_io *f, uint64_t token)
{
	for (int i = 0; i < f->count; i++) {
		if (f->log[i].token == token && !(f->log[i].flags & MAGI_REC_MORE))
			return &f->log[i];
	}
	return NULL;
}

FAKE_UNUSED static int fake_wait_for(struct fake_io *f, uint64_t token)
{
	uint64_t end = magi_clock_ns() + 100 * MAGI_NS_PER_S;

	while (!fake_find(f, token)) {
		cr_assert(magi_clock_ns() < end, "no terminal record has come");
		fake_poll(f, MAGI_NS_PER_S);
	}
	return fake_find(f, token)->res;
}

FAKE_UNUSED static int fake_do(struct fake_io *f, struct magi_req req)
{
	return fake_wait_for(f, fake_submit(f, req));
}

static inline struct magi_req fake_move(uint8_t code, int fd, void *addr, uint32_t len)
{
	return (struct magi_req){ .code = code, .fd = fd, .addr = addr, .len = len };
}

/* As the file position says. */
static inline struct magi_req fake_file(uint8_t code, int fd, const void *addr, uint32_t len, uint64_t offset)
{
	return (struct magi_req){ .code = code, .fd = fd, .addr = (void *)(uintptr_t)addr, .len = len,
				  .offset = offset };
}

FAKE_UNUSED static int fake_open_path(struct fake_io *f, int dir, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)flags, .mode = flags & O_CREAT ? 0600 : 0 };

	return fake_do(f, (struct magi_req){ .code = MAGI_IO_OPEN, .fd = dir, .addr = (void *)(uintptr_t)path,
					     .addr2 = &how });
}

static inline struct sockaddr_in fake_v4(uint32_t host, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons(port) };
}

/* A listener on loopback and a connection to it: client, server. */
FAKE_UNUSED static void fake_connection(struct fake_io *f, int fds[2])
{
	struct sockaddr_in addr = fake_v4(INADDR_LOOPBACK, 0);
	socklen_t len = sizeof(addr);
	int listener = magi_sys_socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(listener >= 0 && magi_sys_bind(listener, (struct sockaddr *)&addr, len) == 0);
	cr_assert(magi_sys_listen(listener, 8) == 0);
	cr_assert(magi_sys_getsockname(listener, (struct sockaddr *)&addr, &len) == 0);
	fds[0] = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(fake_do(f, fake_move(MAGI_IO_CONNECT, fds[0], &addr, sizeof(addr))), 0);
	fds[1] = fake_do(f, fake_move(MAGI_IO_ACCEPT, listener, NULL, 0));
	cr_assert(fds[1] >= 0);
	cr_assert_eq(magi_sys_close(listener), 0);
}

#endif
