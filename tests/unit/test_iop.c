/* SPDX-License-Identifier: MIT */
/* test_iop.c - a task's operations: completion, cancelling, whose the buffer is when. */
#include "gates.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "task/iop.h"

static MAG_OP transfer(MAG_OP_ARGS, uint8_t code, int fd, void *addr, uint32_t len)
{
	struct magi_req req = { .code = code, .fd = fd, .addr = addr, .len = len, .offset = UINT64_MAX };

	return magi_io_await(w, f, &req, NULL, 0, NULL, NULL);
}

static int64_t twice(struct magi_worker *w, void *object, const struct magi_rec *rec)
{
	(void)w;
	++*(int *)object;
	return rec->res < 0 ? rec->res : 2 * rec->res;
}

static MAG_OP transfer_twice(MAG_OP_ARGS, uint8_t code, int fd, void *addr, uint32_t len, int *made)
{
	struct magi_req req = { .code = code, .fd = fd, .addr = addr, .len = len, .offset = UINT64_MAX };

	return magi_io_await(w, f, &req, NULL, 0, twice, made);
}

static MAG_OP close_surely(MAG_OP_ARGS, int fd)
{
	struct magi_req req = { .code = MAGI_IO_CLOSE, .fd = fd };

	return magi_io_await_surely(w, f, &req);
}

enum { BYTES = 3000 };

struct reader {
	mag_frame frame;
	MAG_ARGS(reader, int fd; uint64_t sum;);
	unsigned char buf[256];
	uint64_t total, sum_read;
	int64_t n;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	self->total = self->sum_read = 0;
	for (;;) {
		MAG_AWAIT(self->n, transfer, MAGI_IO_READ, self->fd, self->buf, sizeof(self->buf));
		CHECK(self->n >= 0);
		if (self->n == 0)
			break;
		for (int64_t i = 0; i < self->n; i++)
			self->sum_read = self->sum_read * 31 + self->buf[i];
		self->total += (uint64_t)self->n;
	}
	CHECK(self->total == BYTES && self->sum_read == self->sum);
	MAG_AWAIT(self->n, close_surely, self->fd);
	MAG_RETURN(self->n);
	MAG_END;
}

struct writer {
	mag_frame frame;
	MAG_ARGS(writer, int fd; const unsigned char *bytes;);
	mag_scope scope;
	uint32_t at;
	int64_t n;
};

MAG_TASK(writer)
{
	MAG_BEGIN(writer);
	for (self->at = 0; self->at < BYTES; self->at += (uint32_t)self->n) {
		MAG_AWAIT(self->n, transfer, MAGI_IO_WRITE, self->fd, (void *)(uintptr_t)(self->bytes + self->at),
			  BYTES - self->at);
		CHECK(self->n > 0);
	}
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->n, close_surely, self->fd);
	CHECK(self->n == 0); /* never cut short */
	MAG_SCOPE_END(self->n, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct passing {
	mag_frame frame;
	MAG_ARGS(passing, struct magi_world *world;);
	mag_group group;
	unsigned char bytes[BYTES];
	uint64_t sum;
	int fds[2], i;
	int64_t rc;
};

MAG_TASK(passing)
{
	MAG_BEGIN(passing);
	self->sum = 0;
	for (int i = 0; i < BYTES; i++) {
		self->bytes[i] = (unsigned char)(i * 7 + i / 256);
		self->sum = self->sum * 31 + self->bytes[i];
	}
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 8; self->i++) {
		if (self->world)
			CHECK(magi_world_pipe(self->world, self->fds) == 0);
		else
			CHECK(pipe2(self->fds, O_CLOEXEC) == 0);
		MAG_SPAWN(self->rc, &self->group, reader, .fd = self->fds[0], .sum = self->sum);
		MAG_SPAWN(self->rc, &self->group, writer, .fd = self->fds[1], .bytes = self->bytes);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* A world of either mode, and the kernel. */
struct ring {
	struct play play;
	int kind;
};

enum { COMPLETION, READINESS, KERNEL, RINGS };

static void ring_begin(struct ring *r, int kind, uint32_t n)
{
	mag_runtime_options options;

	r->kind = kind;
	r->play.world = NULL;
	if (kind == KERNEL) {
		r->play.rt = play_real(n, 0);
		return;
	}
	r->play.world = magi_world_create(
		n, kind == COMPLETION ? MAGI_SIM_COMPLETION : MAGI_SIM_READINESS);
	magi_world_auto_advance(r->play.world, true);
	options = play_options(r->play.world, n);
	cr_assert_eq(mag_runtime_create(&options, &r->play.rt), 0);
}

static void ring_end(struct ring *r)
{
	ledger_closes(r->play.rt);
	cr_assert_eq(mag_runtime_destroy(r->play.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	if (r->play.world)
		cr_assert_eq(magi_world_open_fds(r->play.world), 0);
	magi_world_destroy(r->play.world);
}

#define EACH_RING(kind) for (int kind = 0; kind < RINGS; kind++)

Test(iop, bytes_pass_whole_and_in_order, .timeout = 30)
{
	EACH_RING(kind) {
		EACH_WORKERS(n) {
			struct ring r;
			int64_t rc;

			ring_begin(&r, kind, n);
			play_run(&r.play, rc, passing, .world = r.play.world);
			cr_assert_eq(rc, 0);
			ring_end(&r);
		}
	}
}

/* Reads with a deadline from a pipe that stays empty, into a buffer that is used for something else right after. */
struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, struct magi_world *world; int rounds;);
	mag_scope scope;
	char buf[64];
	int fds[2], made, all;
	int64_t rc;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	self->all = 0;
	if (self->world)
		CHECK(magi_world_pipe(self->world, self->fds) == 0);
	else
		CHECK(pipe2(self->fds, O_CLOEXEC) == 0);
	for (; self->rounds; self->rounds--) {
		self->made = 0;
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(1 + self->rounds % 3) * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, transfer_twice, MAGI_IO_READ, self->fds[0], self->buf, sizeof(self->buf),
			  &self->made);
		CHECK(self->rc == MAG_ECANCELED && self->made <= 1); /* 0: its time was over before it began */
		self->all += self->made;
		memset(self->buf, 'x', sizeof(self->buf));
		MAG_AWAIT(self->rc, transfer, MAGI_IO_NOP, 0, NULL, 0);
		CHECK(self->rc == MAG_ECANCELED); /* not begun */
		MAG_SCOPE_END(self->rc, &self->scope);
		CHECK(self->rc == MAG_ETIMEDOUT);
		MAG_AWAIT(self->rc, transfer, MAGI_IO_NOP, 0, NULL, 0);
		CHECK(self->rc == 0);
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		for (size_t i = 0; i < sizeof(self->buf); i++)
			CHECK(self->buf[i] == 'x');
	}
	CHECK(self->all > 0);
	MAG_AWAIT(self->rc, close_surely, self->fds[1]);
	MAG_AWAIT(self->rc, transfer_twice, MAGI_IO_READ, self->fds[0], self->buf, sizeof(self->buf), &self->made);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, close_surely, self->fds[0]);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct impatients {
	mag_frame frame;
	MAG_ARGS(impatients, struct magi_world *world;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(impatients)
{
	MAG_BEGIN(impatients);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 10; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .world = self->world, .rounds = 20);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: mark without mail hangs. */
Test(iop, a_cancelled_operation_resumes_on_its_terminal_record_when_the_buffer_is_free, .timeout = 60)
{
	EACH_RING(kind) {
		EACH_WORKERS(n) {
			struct ring r;
			int64_t rc;

			ring_begin(&r, kind, n);
			play_run(&r.play, rc, impatients, .world = r.play.world);
			cr_assert_eq(rc, 0);
			ring_end(&r);
		}
	}
}

/* Memory for slots is out: the operation is refused, not lost. */
struct refused {
	mag_frame frame;
	MAG_NO_ARGS(refused);
	int64_t rc;
};

MAG_TASK(refused)
{
	MAG_BEGIN(refused);
	magi_fault_plan(1, 1);
	MAG_AWAIT(self->rc, transfer, MAGI_IO_NOP, 0, NULL, 0);
	magi_fault_plan(0, 0);
	CHECK(self->rc == -ENOMEM);
	magi_fault_plan(1, 1);
	MAG_AWAIT(self->rc, close_surely, -1);
	magi_fault_plan(0, 0);
	CHECK(self->rc == -ENOMEM);
	MAG_AWAIT(self->rc, transfer, MAGI_IO_NOP, 0, NULL, 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(iop, an_operation_without_memory_is_refused, .timeout = 10)
{
	cr_assert_eq(RUN(1, refused), 0);
}

/* Neither the kernel nor malloc has memory when a cancel is to be handed over: it is asked for until they have some. */
enum { STARVED = 12, STARVED_RING = 8 };

struct starved_read {
	mag_frame frame;
	MAG_ARGS(starved_read, int fd; uint32_t *began; uint32_t *cancelled;);
	int64_t rc;
	char byte;
};

MAG_TASK(starved_read)
{
	MAG_BEGIN(starved_read);
	count(self->began);
	MAG_AWAIT(self->rc, transfer, MAGI_IO_RECV, self->fd, &self->byte, 1);
	CHECK(self->rc == MAG_ECANCELED || self->rc == -ENOMEM); /* the latter: it found no room itself */
	if (self->rc == MAG_ECANCELED)
		count(self->cancelled);
	MAG_RETURN(0);
	MAG_END;
}

struct starved {
	mag_frame frame;
	MAG_NO_ARGS(starved);
	mag_group group;
	mag_scope shield;
	int fds[2], i, round;
	uint32_t began, cancelled;
	int64_t rc;
};

MAG_TASK(starved)
{
	MAG_BEGIN(starved);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->fds) == 0);
	for (self->round = 0; self->round < 2; self->round++) { /* the first is for frames and slots */
		self->began = self->cancelled = 0;
		MAG_GROUP_BEGIN(&self->group);
		if (self->round)
			magi_fault_plan(1, 1);
		for (self->i = 0; self->i < STARVED; self->i++) {
			MAG_SPAWN(self->rc, &self->group, starved_read, .fd = self->fds[0], .began = &self->began,
				  .cancelled = &self->cancelled);
			CHECK(self->rc == 0);
		}
		while (self->began < STARVED)
			MAG_YIELD(self->rc);
		mag_group_cancel(&self->group);
		MAG_SHIELD(&self->shield, MAG_NEVER);
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* mail is read meanwhile */
		MAG_SCOPE_END(self->rc, &self->shield);
		magi_fault_plan(0, 0);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK(self->cancelled == (self->round ? STARVED_RING : STARVED));
	}
	MAG_AWAIT(self->rc, close_surely, self->fds[0]);
	MAG_AWAIT(self->rc, close_surely, self->fds[1]);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a cancel that finds no room is forgotten when the kernel does not have its request yet: the tasks wait for
 * ever. */
Test(iop, a_cancel_outlives_want_of_memory, .timeout = 20)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = 1, .ring_entries = STARVED_RING,
					.backend = "uring" }; /* only a ring refuses cancels */
	struct play play = { NULL, NULL };
	int64_t rc = mag_runtime_create(&options, &play.rt);

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0);
	play_run(&play, rc, starved);
	cr_assert_eq(rc, 0);
	play_end(&play);
}
