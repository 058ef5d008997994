/* SPDX-License-Identifier: MIT */
/* test_receiver.c - receiving into the runtime's buffers. */
#include "net_run.h"
#include "receiver_look.h"

#include <magpie/receiver.h>
#include <unistd.h>

#include "task/buffer.h"

/* Byte i of every stream here. */
static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 11);
}

struct writer {
	mag_frame frame;
	MAG_ARGS(writer, mag_fd fd; size_t bytes; size_t piece;);
	size_t at, n;
	int64_t rc;
	unsigned char buf[65536];
};

MAG_TASK(writer)
{
	MAG_BEGIN(writer);
	for (self->at = 0; self->at < self->bytes; self->at += self->n) {
		self->n = self->piece < self->bytes - self->at ? self->piece : self->bytes - self->at;
		for (size_t i = 0; i < self->n; i++)
			self->buf[i] = byte_at(self->at + i);
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->buf, self->n);
		CHECK_EQ(self->rc, self->n);
	}
	MAG_AWAIT(self->rc, mag_shutdown, self->fd, SHUT_WR);
	CHECK_EQ(self->rc, 0);
	MAG_RETURN(0);
	MAG_END;
}

static bool matches(const mag_buffer *buffer, size_t at)
{
	const unsigned char *data = buffer->data;

	for (size_t i = 0; i < buffer->len; i++) {
		if (data[i] != byte_at(at + i))
			return false;
	}
	return true;
}

/* Takes a stream to its end and compares each byte. */
struct reader {
	mag_frame frame;
	MAG_ARGS(reader, mag_receiver *receiver; size_t bytes; bool dawdle;);
	mag_buffer buffer;
	size_t at;
	int64_t rc, slept;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	for (self->at = 0;; self->at += (size_t)self->rc) {
		MAG_AWAIT(self->rc, mag_receiver_next, self->receiver, &self->buffer);
		if (self->rc <= 0)
			break;
		CHECK_EQ(self->rc, self->buffer.len);
		CHECK(matches(&self->buffer, self->at));
		if (self->dawdle && self->at % 5 == 0)
			MAG_AWAIT(self->slept, mag_sleep, 100 * MAG_MICROSECOND);
		mag_buffer_give(&self->buffer);
		CHECK(!self->buffer.data);
	}
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->at, self->bytes);
	/* the end stays the end */
	MAG_AWAIT(self->rc, mag_receiver_next, self->receiver, &self->buffer);
	CHECK_EQ(self->rc, 0);
	MAG_RETURN(0);
	MAG_END;
}

struct stream {
	mag_frame frame;
	MAG_ARGS(stream, size_t bytes; size_t piece; uint32_t queue; bool dawdle;);
	mag_fd pair[2];
	mag_receiver receiver;
	mag_receiver_options options;
	mag_group group;
	int64_t rc;
};

MAG_TASK(stream)
{
	MAG_BEGIN(stream);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	self->options = (mag_receiver_options){ .size = sizeof(self->options), .queue = self->queue };
	CHECK_EQ(mag_receiver_start(&self->receiver, self->pair[0], &self->options), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, writer, .fd = self->pair[1], .bytes = self->bytes, .piece = self->piece);
	MAG_SPAWN(self->rc, &self->group, reader, .receiver = &self->receiver, .bytes = self->bytes,
		  .dawdle = self->dawdle);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(receiver, a_stream_comes_whole_and_in_order, .timeout = 60)
{
	RUN(stream, .bytes = 20u << 20, .piece = 65536);
	RUN(stream, .bytes = 300000, .piece = 7);
	RUN(stream, .bytes = 4u << 20, .piece = 65536, .queue = 1);
	RUN(stream, .bytes = 3u << 20, .piece = 5000, .queue = 3, .dawdle = true);
}

/* Many at once, which share the buffers of their rings. */
struct streams {
	mag_frame frame;
	MAG_ARGS(streams, int n;);
	mag_group group;
	int64_t rc, spawned;
	int i;
};

struct stream_checked {
	mag_frame frame;
	MAG_NO_ARGS(stream_checked);
	mag_fd pair[2];
	mag_receiver receiver;
	mag_group group;
	int64_t rc;
};

MAG_TASK(stream_checked)
{
	MAG_BEGIN(stream_checked);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	CHECK_EQ(mag_receiver_start(&self->receiver, self->pair[0], NULL), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, writer, .fd = self->pair[1], .bytes = 200000, .piece = 30000);
	MAG_SPAWN(self->rc, &self->group, reader, .receiver = &self->receiver, .bytes = 200000);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(streams)
{
	MAG_BEGIN(streams);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_SPAWN(self->spawned, &self->group, stream_checked);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(receiver, many_streams_share_the_buffers, .timeout = 120)
{
	RUN(streams, .n = 200);
}

/* Single receives; buffers that are kept for long make the ring ask for more. */
enum { KEPT = 400 };

struct keeper {
	mag_frame frame;
	MAG_NO_ARGS(keeper);
	mag_fd pair[2];
	mag_buffer kept[KEPT];
	int64_t rc;
	int i;
	char c;
};

MAG_TASK(keeper)
{
	MAG_BEGIN(keeper);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	for (self->i = 0; self->i < KEPT; self->i++) {
		self->c = (char)self->i;
		MAG_AWAIT(self->rc, mag_send_all, self->pair[1], &self->c, 1);
		CHECK_EQ(self->rc, 1);
		MAG_AWAIT(self->rc, mag_recv_buffer, self->pair[0], &self->kept[self->i]);
		CHECK_EQ(self->rc, 1);
		CHECK_EQ(self->kept[self->i].len, 1);
	}
	for (int i = 0; i < KEPT; i++) {
		CHECK_EQ(*(char *)self->kept[i].data, (char)i);
		mag_buffer_give(&self->kept[i]);
	}
	MAG_AWAIT(self->rc, mag_shutdown, self->pair[1], SHUT_WR);
	MAG_AWAIT(self->rc, mag_recv_buffer, self->pair[0], &self->kept[0]);
	CHECK_EQ(self->rc, 0);
	CHECK(!self->kept[0].data);
	mag_buffer_give(&self->kept[0]);
	mag_buffer_give(NULL);
	CLOSE(self->pair[0]);
	CLOSE(self->pair[1]);
	MAG_RETURN(0);
	MAG_END;
}

Test(receiver, a_ring_without_buffers_gets_more, .timeout = 60)
{
	RUN(keeper);
}

/* Idle connections: a wait holds no buffer, cancelled or not. */
struct waiter {
	mag_frame frame;
	MAG_ARGS(waiter, mag_fd fd; int64_t *result; uint64_t keep_ns; uint32_t *began; uint32_t *received;);
	mag_buffer buffer;
	int64_t rc;
};

MAG_TASK(waiter)
{
	MAG_BEGIN(waiter);
	if (self->began)
		magi_add_ar(self->began, 1u); /* [began] */
	MAG_AWAIT(self->rc, mag_recv_buffer, self->fd, &self->buffer);
	*self->result = self->rc;
	if (self->rc > 0 && self->received)
		magi_add_ar(self->received, 1u); /* [received] */
	if (self->rc <= 0)
		CHECK(!self->buffer.data);
	if (self->keep_ns)
		MAG_AWAIT(self->rc, mag_sleep, self->keep_ns);
	mag_buffer_give(&self->buffer);
	MAG_RETURN(0);
	MAG_END;
}

enum { IDLE = 300 };

struct idle {
	mag_frame frame;
	MAG_NO_ARGS(idle);
	mag_fd pair[IDLE][2];
	int64_t result[IDLE];
	mag_group group;
	int64_t rc, waited;
	uint32_t began, received;
	int i;
};

/* Who was only about to wait when its file was closed finds no file. */
static bool ended_well(int i, int64_t result)
{
	return i % 3 == 0 ? result == 3 : result == MAG_ECANCELED || (i % 3 == 1 && result == MAG_ECLOSED);
}

MAG_TASK(idle)
{
	MAG_BEGIN(idle);
	self->began = self->received = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < IDLE; self->i++) {
		CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair[self->i]), 0);
		MAG_SPAWN(self->rc, &self->group, waiter, .fd = self->pair[self->i][0],
			  .result = &self->result[self->i], .began = &self->began, .received = &self->received);
	}
	WAIT_UNTIL(self->rc, magi_load_acq(&self->began) == IDLE); /* [began] */
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	for (self->i = 0; self->i < IDLE; self->i += 3)
		MAG_AWAIT(self->rc, mag_send_all, self->pair[self->i][1], "abc", 3);
	for (self->i = 1; self->i < IDLE; self->i += 3)
		MAG_AWAIT(self->rc, mag_close, self->pair[self->i][0]);
	WAIT_UNTIL(self->rc, magi_load_acq(&self->received) == IDLE / 3); /* [received] */
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	for (int i = 0; i < IDLE; i++)
		CHECK_SAYING(ended_well(i, self->result[i]), self->result[i]);
	for (self->i = 0; self->i < IDLE; self->i++) {
		MAG_AWAIT(self->rc, mag_close, self->pair[self->i][0]);
		MAG_AWAIT(self->rc, mag_close, self->pair[self->i][1]);
	}
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(receiver, waits_end_by_data_close_and_cancellation, .timeout = 60)
{
	RUN(idle);
}

/* More data at once than the ring has buffers: tried by giving it none when it says ENOBUFS. */
struct hog {
	mag_frame frame;
	MAG_ARGS(hog, uint32_t *go; uint32_t *spinning;);
};

MAG_TASK(hog)
{
	MAG_BEGIN(hog);
	(void)magi_xchg_seq(self->spinning, 1u); /* [hog] */
	while (!magi_load_acq(self->go)) /* [hog] */
		magi_pause();
	MAG_RETURN(0);
	MAG_END;
}

struct burst {
	mag_frame frame;
	MAG_NO_ARGS(burst);
	mag_fd pair[IDLE][2];
	int64_t result[IDLE];
	mag_group group;
	uint32_t go, spinning;
	int64_t rc, waited;
	int i;
};

MAG_TASK(burst)
{
	MAG_BEGIN(burst);
	self->go = self->spinning = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < IDLE; self->i++) {
		CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair[self->i]), 0);
		MAG_SPAWN_ON(self->rc, 1, &self->group, waiter, .fd = self->pair[self->i][0],
			     .result = &self->result[self->i], .keep_ns = 50 * MAG_MILLISECOND);
	}
	MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_MILLISECOND);
	MAG_SPAWN_ON(self->rc, 1, &self->group, hog, .go = &self->go, .spinning = &self->spinning);
	WAIT_UNTIL(self->rc, magi_load_acq(&self->spinning)); /* [hog] */
	for (int i = 0; i < IDLE; i++)
		CHECK_EQ(write(mag_fd_raw(self->pair[i][1]), "abc", 3), 3);
	(void)magi_xchg_seq(&self->go, 1u); /* [hog] */
	MAG_GROUP_END(self->rc, &self->group);
	for (int i = 0; i < IDLE; i++)
		CHECK_EQ(self->result[i], 3);
	for (self->i = 0; self->i < IDLE; self->i++) {
		CLOSE(self->pair[self->i][0]);
		CLOSE(self->pair[self->i][1]);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* On a worker of its own: not on the one that is kept busy. */
struct burst_elsewhere {
	mag_frame frame;
	MAG_NO_ARGS(burst_elsewhere);
	mag_group group;
	int64_t rc;
};

MAG_TASK(burst_elsewhere)
{
	MAG_BEGIN(burst_elsewhere);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_ON(self->rc, 2, &self->group, burst);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(receiver, a_burst_larger_than_the_ring_is_received, .timeout = 60)
{
	RUN(burst_elsewhere);
}

/* Closing with a full queue, and while somebody waits; a full queue stops the request. */
struct closing {
	mag_frame frame;
	MAG_NO_ARGS(closing);
	mag_fd pair[2];
	mag_receiver receiver;
	mag_receiver_options options;
	mag_buffer buffer;
	mag_scope scope;
	int64_t rc, end, waited;
	int i;
	char data[65536];
};

MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->pair), 0);
	self->options = (mag_receiver_options){ .size = sizeof(self->options), .queue = 2 };
	for (self->i = 0; self->i < 50; self->i++) {
		CHECK_EQ(mag_receiver_start(&self->receiver, self->pair[0], &self->options), 0);
		MAG_AWAIT(self->rc, mag_send_all, self->pair[1], self->data, 30000);
		CHECK_EQ(self->rc, 30000);
		if (self->i % 3 == 0)
			WAIT_UNTIL(self->rc, source(&self->receiver).state == MAGI_SOURCE_IDLE);
		if (self->i % 2)
			MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
		MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
		CHECK_EQ(self->rc, 0);
		mag_buffer_give(&self->buffer);
		/* the file is still fine; what was queued is gone, what was not is there */
		MAG_WITH_TIMEOUT(&self->scope, 2 * MAG_MILLISECOND);
		do
			MAG_AWAIT(self->rc, mag_recv, self->pair[0], self->data, sizeof(self->data));
		while (self->rc > 0);
		MAG_SCOPE_END(self->end, &self->scope);
		CHECK_EQ(self->rc, MAG_ECANCELED);
	}
	/* the file is closed under it */
	CHECK_EQ(mag_receiver_start(&self->receiver, self->pair[0], NULL), 0);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->rc, mag_recv, self->pair[1], self->data, 1);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(receiver, closing_leaves_the_file_usable_and_nothing_behind, .timeout = 60)
{
	RUN(closing);
}

/* Errors come after the bytes before them. */
struct reset {
	mag_frame frame;
	MAG_NO_ARGS(reset);
	mag_fd listener, client, server, other;
	mag_addr addr;
	mag_receiver receiver, second;
	mag_buffer buffer;
	int64_t rc, waited;
};

MAG_TASK(reset)
{
	MAG_BEGIN(reset);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->client);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->server, NULL);
	CHECK_EQ(mag_receiver_start(&self->receiver, self->server, NULL), 0);
	CHECK_EQ(mag_receiver_start(&self->second, self->server, NULL), -EBUSY);
	MAG_AWAIT(self->rc, mag_send_all, self->client, "bye", 3);
	WAIT_UNTIL(self->rc, source(&self->receiver).count == 1);
	mag_socket_option(self->client, SOL_SOCKET, SO_LINGER, &(struct { int on, s; }){ 1, 0 }, 8);
	MAG_AWAIT(self->rc, mag_close, self->client);
	WAIT_UNTIL(self->rc, source(&self->receiver).ended);
	MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
	CHECK_EQ(self->rc, 3);
	mag_buffer_give(&self->buffer);
	MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
	CHECK_EQ(self->rc, -ECONNRESET);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->rc, mag_close, self->server);

	CHECK_EQ(mag_receiver_start(&self->receiver, self->listener, NULL), 0);
	MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
	CHECK_EQ(self->rc, -ENOTCONN);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(mag_receiver_start(&self->receiver, self->listener, NULL), MAG_ECLOSED);
	CHECK_EQ(mag_receiver_start(NULL, self->listener, NULL), -EINVAL);
	MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_recv_buffer, self->listener, &self->buffer);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_recv_buffer, self->listener, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(receiver, an_error_comes_after_the_bytes_before_it, .timeout = 60)
{
	RUN(reset);
}
