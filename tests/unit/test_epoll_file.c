/* SPDX-License-Identifier: MIT */
/* test_epoll_file.c - what a thread is asked to do, and what is not; connections that nobody announces.
 *
 * Tried with the bugs put in: a thread that is not counted until it has rung (an_io_outlives_the_threads_that_ring_it,
 * under AddressSanitizer); a send that trusts in being told of room (a_datagram_waits_for_room_at_its_receiver). */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <linux/openat2.h>

#include "base/futex.h"
#include "unit/epoll_io.h"

struct hands {
	int asked;
	int refuse; /* the error, or 0 */
	int64_t (*fn)(void *arg);
	void *arg;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct hands *h = arg;

	h->fn(h->arg);
	return NULL;
}

/* One at a time. */
static int punt(void *ctx, int64_t (*fn)(void *arg), void *arg)
{
	struct hands *h = ctx;

	h->asked++;
	if (h->refuse)
		return h->refuse;
	h->fn = fn;
	h->arg = arg;
	return -pthread_create(&h->thread, NULL, work, h);
}

static struct magi_epoll *open_with(struct hands *h)
{
	*h = (struct hands){ 0 };
	return open_io(&(struct magi_io_params){ .punt = punt, .punt_ctx = h });
}

static int file_of(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

Test(epoll_file, what_is_in_memory_is_read_without_a_thread, .timeout = 20)
{
	struct hands h;
	struct magi_epoll *u = open_with(&h);
	int fd = file_of("0123456789");
	char in[32];
	struct magi_req read_all = { .code = MAGI_IO_READ, .fd = fd, .addr = in, .len = sizeof(in), .token = 1 };
	struct magi_req write_some = { .code = MAGI_IO_WRITE, .fd = fd, .addr = in, .len = 2, .token = 2 };

	if (preadv2(fd, &(struct iovec){ in, 1 }, 1, 0, RWF_NOWAIT) < 0)
		cr_skip_test("the file system of /tmp cannot read without blocking");
	submit(u, read_all);
	cr_assert_eq(result_of(u, 1), 10);
	cr_assert_eq(h.asked, 0);
	submit(u, write_some);
	cr_assert_eq(result_of(u, 2), 2);
	cr_assert_eq(h.asked, 1);
	pthread_join(h.thread, NULL);
	close(fd);
	close_io(u);
}

Test(epoll_file, a_read_past_the_page_cache_is_a_threads, .timeout = 20)
{
	struct hands h;
	struct magi_epoll *u = open_with(&h);
	char path[] = "/tmp/magpie-direct-XXXXXX";
	int made = mkstemp(path), fd;
	char *in = aligned_alloc(4096, 4096);
	struct magi_req read_all = { .code = MAGI_IO_READ, .addr = in, .len = 4096, .token = 1 };

	cr_assert_eq(write(made, "direct", 6), 6);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	unlink(path);
	if (fd < 0)
		cr_skip_test("the file system of /tmp has no O_DIRECT");
	read_all.fd = fd;
	submit(u, read_all);
	cr_assert_eq(result_of(u, 1), 6);
	cr_assert_eq(h.asked, 1);
	pthread_join(h.thread, NULL);
	free(in);
	close(made);
	close(fd);
	close_io(u);
}

Test(epoll_file, a_request_that_finds_no_thread_says_so, .timeout = 20)
{
	struct hands h;
	struct magi_epoll *u = open_with(&h);

	h.refuse = -EAGAIN;
	submit(u, (struct magi_req){ .code = MAGI_IO_MKDIR, .fd = AT_FDCWD, .addr = (char[]){ "/" }, .token = 1 });
	cr_assert_eq(result_of(u, 1), -ENOMEM);
	cr_assert_eq(h.asked, 1);
	close_io(u);
}

Test(epoll_file, a_close_needs_no_thread_and_cannot_be_cancelled, .timeout = 20)
{
	struct hands h;
	struct magi_epoll *u = open_with(&h);
	int fd = file_of("x");

	submit(u, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = fd, .token = 1 });
	ops->cancel((struct magi_io *)u, 1);
	cr_assert_eq(result_of(u, 1), 0);
	cr_assert_eq(h.asked, 0);
	cr_assert_eq(fcntl(fd, F_GETFD), -1);
	close_io(u);
}

Test(epoll_file, an_io_outlives_the_threads_that_ring_it, .timeout = 60)
{
	for (int i = 0; i < 2000; i++) {
		struct hands h;
		struct magi_epoll *u = open_with(&h);
		struct magi_req req = { .code = MAGI_IO_FSYNC, .fd = -1, .token = 1 };

		submit(u, req);
		cr_assert_eq(result_of(u, 1), -EBADF);
		close_io(u);
		pthread_join(h.thread, NULL);
	}
}

static void *open_other_end(void *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	return (void *)(intptr_t)fd;
}

/* Also one that has not written: the open is over when there is one. */
Test(epoll_file, a_fifo_is_open_when_it_has_a_writer_and_is_blocking_then, .timeout = 20)
{
	struct hands h;
	struct magi_epoll *u = open_with(&h);
	char path[64];
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };
	pthread_t writer;
	void *other;
	int fd;

	snprintf(path, sizeof(path), "/tmp/magpie-epoll-fifo-%d", (int)getpid());
	cr_assert_eq(mkfifo(path, 0600), 0);
	submit(u, (struct magi_req){ .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = path, .addr2 = &how, .token = 1 });
	expect_silence(u);
	pthread_create(&writer, NULL, open_other_end, path);
	fd = result_of(u, 1);
	cr_assert(fd >= 0, "%d", fd);
	cr_assert(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
	pthread_join(writer, &other);
	pthread_join(h.thread, NULL);
	unlink(path);
	close(fd);
	close((int)(intptr_t)other);
	close_io(u);
}

/* A local listener's queue is full: nothing tells when that ends. */
static int full_listener(struct sockaddr_un *at, int *first)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(at->sun_path + 1, sizeof(at->sun_path) - 1, "magpie-epoll-%d", (int)getpid());
	cr_assert(bind(listener, (struct sockaddr *)at, sizeof(*at)) == 0 && listen(listener, 0) == 0);
	*first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(*first, (struct sockaddr *)at, sizeof(*at)), 0);
	return listener;
}

Test(epoll_file, a_full_listener_is_tried_until_it_has_room, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct sockaddr_un at;
	struct magi_req req = { .code = MAGI_IO_CONNECT, .file = 7, .addr = &at, .len = sizeof(at), .token = 1 };
	int first, listener = full_listener(&at, &first), taken;

	req.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	submit(u, req);
	expect_silence(u);
	cr_assert_eq(poll_io(u, 5 * MAGI_NS_PER_MS, &(struct magi_rec){ 0 }, 1), 0);
	cr_assert(!(fcntl(req.fd, F_GETFL) & O_NONBLOCK));
	taken = accept(listener, NULL, NULL);
	cr_assert_eq(result_of(u, 1), 0);
	close(taken);
	close(req.fd);
	close(first);
	close(listener);
	close_io(u);
}

Test(epoll_file, a_connection_to_a_full_listener_can_be_cancelled, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct sockaddr_un at;
	struct magi_req req = { .code = MAGI_IO_CONNECT, .file = 7, .addr = &at, .len = sizeof(at), .token = 1 };
	int first, listener = full_listener(&at, &first);

	req.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	submit(u, req);
	expect_silence(u);
	ops->cancel((struct magi_io *)u, 1);
	cr_assert_eq(result_of(u, 1), -ECANCELED);
	close(req.fd);
	close(first);
	close(listener);
	close_io(u);
}

/* Its socket polls writable all the while. */
Test(epoll_file, a_datagram_waits_for_room_at_its_receiver, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct iovec word = { (char[]){ "word" }, 4 };
	struct msghdr msg = { .msg_name = &at, .msg_namelen = sizeof(at), .msg_iov = &word, .msg_iovlen = 1 };
	struct magi_req req = { .code = MAGI_IO_SENDMSG, .file = 7, .addr = &msg, .token = 1 };
	int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct magi_rec rec;
	char in[4];

	snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "magpie-epoll-%d", (int)getpid());
	cr_assert_eq(bind(to, (struct sockaddr *)&at, sizeof(at)), 0);
	req.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	submit(u, req);
	while (poll_io(u, 3 * MAGI_NS_PER_MS, &rec, 1)) {
		cr_assert_eq(rec.res, 4);
		req.token++;
		submit(u, req);
	}
	cr_assert_eq(recv(to, in, sizeof(in), 0), 4);
	cr_assert_eq(result_of(u, req.token), 4);
	close(req.fd);
	close(to);
	close_io(u);
}
