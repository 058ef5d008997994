/* SPDX-License-Identifier: MIT */
/* test_unix.c - Unix streams, and descriptors passed over them. */
#include "net_run.h"

#include <magpie/file.h>
#include <magpie/unix.h>
#include <sys/uio.h>
#include <unistd.h>

struct stream {
	mag_frame frame;
	MAG_ARGS(stream, const char *name; bool file;);
	char path[64], buf[8];
	mag_fd listener, second, client, server;
	mag_addr at, peer;
	int64_t rc;
};

MAG_TASK(stream)
{
	MAG_BEGIN(stream);
	snprintf(self->path, sizeof(self->path), "%s-%d", self->name, getpid());
	CHECK_EQ(mag_addr_unix(&self->at, self->path), 0);
	MAG_CALL(self->rc, mag_unix_connect, .addr = &self->at, .fd = &self->client);
	CHECK_EQ(self->rc, self->file ? -ENOENT : -ECONNREFUSED);
	CHECK_EQ(self->client.generation, 0);
	CHECK_EQ(mag_unix_listen(&self->at, 0, &self->listener), 0);
	CHECK_EQ(mag_unix_listen(&self->at, 0, &self->second), -EADDRINUSE);
	CHECK_EQ(mag_fd_local_addr(self->listener, &self->peer), 0);
	CHECK(mag_addr_equal(&self->peer, &self->at));
	MAG_CALL(self->rc, mag_unix_connect, .addr = &self->at, .fd = &self->client);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->server, &self->peer);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_send_all, self->client, "ping", 4);
	MAG_AWAIT(self->rc, mag_recv_all, self->server, self->buf, 4, NULL);
	CHECK_EQ(self->rc, 4);
	MAG_AWAIT(self->rc, mag_close, self->client);
	MAG_AWAIT(self->rc, mag_close, self->server);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	if (self->file) {
		MAG_AWAIT(self->rc, mag_unlink, self->path);
		CHECK_EQ(self->rc, 0);
	}
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(unix_socket, streams_by_path, .timeout = 30)
{
	RUN(stream, .name = "/tmp/magpie-test", .file = true);
}

Test(unix_socket, streams_by_abstract_name, .timeout = 30)
{
	RUN(stream, .name = "@magpie-test", .file = false);
}

/* A descriptor goes through sendmsg and recvmsg and is taken over. */
struct pass {
	mag_frame frame;
	MAG_NO_ARGS(pass);
	mag_fd pair[2], other[2], got;
	struct msghdr out, in;
	struct iovec part;
	char byte, buf[8];
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	int64_t rc;
};

static void put_fd(struct msghdr *msg, int raw)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &raw, sizeof(raw));
}

static int get_fd(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int raw = -1;

	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&raw, CMSG_DATA(c), sizeof(raw));
	return raw;
}

MAG_TASK(pass)
{
	MAG_BEGIN(pass);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->other), 0);
	self->byte = 'x';
	self->part = (struct iovec){ &self->byte, 1 };
	self->out = (struct msghdr){ .msg_iov = &self->part,
				     .msg_iovlen = 1,
				     .msg_control = &self->control,
				     .msg_controllen = sizeof(self->control) };
	put_fd(&self->out, mag_fd_raw(self->other[0]));
	MAG_AWAIT(self->rc, mag_sendmsg, self->pair[0], &self->out, 0);
	CHECK_EQ(self->rc, 1);
	self->in = self->out;
	MAG_AWAIT(self->rc, mag_recvmsg, self->pair[1], &self->in, 0);
	CHECK_EQ(self->rc, 1);
	CHECK_EQ(mag_fd_adopt(get_fd(&self->in), &self->got), 0);
	MAG_AWAIT(self->rc, mag_close, self->other[0]);
	MAG_AWAIT(self->rc, mag_send_all, self->other[1], "through", 7);
	MAG_AWAIT(self->rc, mag_recv_all, self->got, self->buf, 7, NULL);
	CHECK_EQ(self->rc, 7);
	CLOSE(self->got);
	CLOSE(self->other[1]);
	CLOSE(self->pair[0]);
	CLOSE(self->pair[1]);
	MAG_RETURN(0);
	MAG_END;
}

Test(unix_socket, a_descriptor_is_passed_and_taken_over, .timeout = 30)
{
	RUN(pass);
}

struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_addr ip, path;
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	mag_addr_parse(&self->ip, "127.0.0.1:0");
	mag_addr_unix(&self->path, "/nonexistent/directory/socket");
	CHECK_EQ(mag_unix_listen(NULL, 0, &self->fd), -EINVAL);
	CHECK_EQ(mag_unix_listen(&self->ip, 0, &self->fd), -EINVAL);
	CHECK_EQ(mag_unix_listen(&self->path, -1, &self->fd), -EINVAL);
	CHECK_EQ(mag_unix_listen(&self->path, 0, NULL), -EINVAL);
	CHECK_EQ(mag_unix_listen(&self->path, 0, &self->fd), -ENOENT);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, NULL), -EINVAL);
	MAG_CALL(self->rc, mag_unix_connect, .addr = &self->ip, .fd = &self->fd);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_unix_connect, .addr = &self->path, .fd = NULL);
	CHECK_EQ(self->rc, -EINVAL);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(unix_socket, wrong_use_gets_an_error, .timeout = 30)
{
	RUN(wrong);
}
