/* SPDX-License-Identifier: MIT */
/* test_sendfile.c - files to sockets. */
#include "net_run.h"

#include <fcntl.h>
#include <magpie/sendfile.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 3 * 1024 * 1024 + 123 };

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 12);
}

/* A file of that many bytes on a disk; `cold`: none of it in memory, as far as the kernel lets us. */
static int make_file(size_t bytes, bool cold, mag_fd *fd)
{
	char path[] = "/var/tmp/magpie-sendfile-XXXXXX";
	unsigned char *data = malloc(bytes);
	int raw = mkostemp(path, O_CLOEXEC);
	bool ok;

	if (raw < 0)
		return -errno;
	unlink(path);
	for (size_t i = 0; i < bytes; i++)
		data[i] = byte_at(i);
	ok = write(raw, data, bytes) == (ssize_t)bytes;
	free(data);
	if (cold) {
		fsync(raw);
		posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED);
	}
	return ok ? mag_fd_adopt(raw, fd) : -EIO;
}

struct taker {
	mag_frame frame;
	MAG_ARGS(taker, mag_fd fd; size_t first; size_t bytes;);
	size_t got;
	int64_t rc;
	unsigned char buf[30000];
};

MAG_TASK(taker)
{
	MAG_BEGIN(taker);
	for (self->got = 0; self->got < self->bytes; self->got += (size_t)self->rc) {
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->buf, sizeof(self->buf));
		CHECK_SAYING(self->rc > 0, self->rc);
		for (int64_t i = 0; i < self->rc; i++)
			CHECK(self->buf[i] == byte_at(self->first + self->got + (size_t)i));
	}
	CHECK_EQ(self->got, self->bytes);
	MAG_RETURN(0);
	MAG_END;
}

struct send {
	mag_frame frame;
	MAG_ARGS(send, bool cold; size_t offset; size_t length;);
	mag_fd listener, client, server, file;
	mag_addr addr;
	mag_group group;
	size_t count;
	int64_t rc, end;
};

MAG_TASK(send)
{
	MAG_BEGIN(send);
	CHECK_EQ(make_file(BYTES, self->cold, &self->file), 0);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->client);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->server, NULL);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, taker, .fd = self->client, .first = self->offset, .bytes = self->length);
	MAG_CALL(self->rc, mag_sendfile, .to = self->server, .file = self->file, .offset = self->offset,
		 .length = self->length, .count = &self->count);
	MAG_GROUP_END(self->end, &self->group);
	CHECK_EQ(self->rc, self->length);
	CHECK_EQ(self->count, self->length);
	CHECK_EQ(self->end, 0);
	/* the other direction and plain sends still work on a socket that was sent a file */
	MAG_AWAIT(self->rc, mag_send_all, self->server, "x", 1);
	CHECK_EQ(self->rc, 1);
	MAG_AWAIT(self->rc, mag_recv, self->client, &self->count, 8);
	CHECK_EQ(self->rc, 1);
	MAG_AWAIT(self->rc, mag_close, self->client);
	MAG_AWAIT(self->rc, mag_recv, self->server, &self->count, 8);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->server);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_AWAIT(self->rc, mag_close, self->file);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(sendfile, a_file_in_memory_is_sent_whole, .timeout = 60)
{
	RUN(send, .cold = false, .offset = 0, .length = BYTES);
	RUN(send, .cold = false, .offset = 12345, .length = 700001);
	RUN(send, .cold = false, .offset = 5, .length = 0);
}

Test(sendfile, a_file_on_disk_is_sent_whole, .timeout = 60)
{
	RUN(send, .cold = true, .offset = 0, .length = BYTES);
	RUN(send, .cold = true, .offset = 12345, .length = 700001);
}

/* Ends early: the file, the other end, the scope. */
struct early {
	mag_frame frame;
	MAG_NO_ARGS(early);
	mag_fd pair[2], file, none;
	mag_group cutter;
	mag_scope scope;
	size_t count, got;
	int64_t rc, end;
	unsigned char *back;
};

MAG_TASK(early)
{
	MAG_BEGIN(early);
	self->back = malloc(BYTES);
	CHECK_EQ(make_file(BYTES, false, &self->file), 0);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[0], .file = self->file, .offset = BYTES - 10, .length = 20,
		 .count = &self->count);
	CHECK_EQ(self->rc, MAG_EEOF);
	CHECK_EQ(self->count, 10);
	MAG_AWAIT(self->rc, mag_recv_all, self->pair[1], self->back, 10, NULL);
	/* in a scope that is over nothing is sent */
	MAG_WITH_TIMEOUT(&self->scope, 0);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[0], .file = self->file, .length = 10, .count = &self->count);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK_EQ(self->count, 0);
	/* nobody takes it */
	CUT_SHORT_BEGIN(mag_fd_raw(self->pair[1]), 1, INT_MAX);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[0], .file = self->file, .length = BYTES,
		 .count = &self->count);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK(self->count > 0 && self->count < BYTES);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[0], .file = self->file, .length = BYTES, .count = &self->got);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK_EQ(self->got, 0);
	MAG_GROUP_END(self->end, &self->cutter);
	MAG_SCOPE_END(self->end, &self->scope);
	MAG_AWAIT(self->rc, mag_shutdown, self->pair[0], SHUT_WR);
	MAG_AWAIT(self->rc, mag_recv_all, self->pair[1], self->back, BYTES, &self->got);
	CHECK_EQ(self->rc, MAG_EEOF);
	CHECK_EQ(self->got, self->count);
	for (size_t i = 0; i < self->got; i++)
		CHECK(self->back[i] == byte_at(i));
	/* to one that is closed: an error, no signal */
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[0], .file = self->file, .length = 100);
	CHECK_EQ(self->rc, -EPIPE);

	MAG_CALL(self->rc, mag_sendfile, .to = MAG_FD_NONE, .file = self->file, .length = 100);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[1], .file = MAG_FD_NONE, .length = 100);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[1], .file = self->file, .offset = UINT64_MAX, .length = 1);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_sendfile, .to = self->pair[1], .file = self->file, .offset = 1, .length = INT64_MAX);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	MAG_AWAIT(self->rc, mag_close, self->file);
	CHECK_EQ(open_files(), 0);
	free(self->back);
	MAG_RETURN(0);
	MAG_END;
}

Test(sendfile, it_says_how_far_it_came, .timeout = 60)
{
	RUN(early);
}
