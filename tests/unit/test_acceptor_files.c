/* SPDX-License-Identifier: MIT */
/* test_acceptor_files.c - accepting when descriptors or memory run out. */
#include "net_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <magpie/acceptor.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "task/source.h"
#include "task/wait.h"

/* A look at the core as it is now; not at its lock. */
struct look {
	enum magi_source_state state;
	const struct magi_worker *on;
	uint32_t count;
	bool ended;
};

static struct look source(const mag_acceptor *acceptor)
{
	struct magi_source *s = (struct magi_source *)(void *)acceptor->core;
	struct look look;

	magi_lock_acquire(magi_waitq_lock(&s->q));
	look = (struct look){ s->state, s->on, s->count, s->ended };
	magi_lock_release(magi_waitq_lock(&s->q));
	return look;
}

/* Out of descriptors. Given room for three more: three are served, the others are told; later ones are served again. */
enum { CROWD = 20, ROOM = 3 };

static int limit_files(int more)
{
	int next = open("/dev/null", O_RDONLY);
	struct rlimit limit;

	if (next < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	close(next);
	limit.rlim_cur = (rlim_t)(next + more);
	return setrlimit(RLIMIT_NOFILE, &limit);
}

struct crowd {
	mag_frame frame;
	MAG_NO_ARGS(crowd);
	mag_fd listener, client[CROWD], served[ROOM], fd;
	mag_addr addr;
	mag_acceptor acceptor;
	int64_t rc, waited;
	uint64_t since;
	struct rusage before, after;
	char buf[4];
	int i;
};

/* How many connections the other side has closed. */
static int count_told(const mag_fd *client)
{
	int told = 0;
	char c;

	for (int i = 0; i < CROWD; i++) {
		ssize_t n = recv(mag_fd_raw(client[i]), &c, 1, MSG_DONTWAIT | MSG_PEEK);

		told += n == 0 || (n < 0 && errno == ECONNRESET);
	}
	return told;
}

static double cpu_s(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       1e-6 * (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	for (self->i = 0; self->i < CROWD; self->i++)
		CHECK_EQ(mag_socket(AF_INET, SOCK_STREAM, 0, &self->client[self->i]), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	CHECK_EQ(limit_files(ROOM), 0);
	for (self->i = 0; self->i < CROWD; self->i++) {
		MAG_AWAIT(self->rc, mag_connect, self->client[self->i], &self->addr);
		CHECK_EQ(self->rc, 0);
	}
	for (self->i = 0; self->i < ROOM; self->i++) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->served[self->i]);
		CHECK_EQ(self->rc, 0);
	}
	WAIT_UNTIL(self->rc, mag_acceptor_dropped(&self->acceptor) == CROWD - ROOM);
	WAIT_UNTIL(self->rc, count_told(self->client) == CROWD - ROOM);
	/* those that are served go on */
	MAG_AWAIT(self->rc, mag_send_all, self->served[0], "ok", 2);
	CHECK_EQ(self->rc, 2);
	/* waiting for descriptors costs no time */
	getrusage(RUSAGE_SELF, &self->before);
	MAG_AWAIT(self->rc, mag_sleep, 200 * MAG_MILLISECOND);
	getrusage(RUSAGE_SELF, &self->after);
	CHECK(cpu_s(&self->after) - cpu_s(&self->before) < 0.1);

	/* room again: the next one is served */
	for (self->i = 0; self->i < CROWD; self->i++)
		MAG_AWAIT(self->rc, mag_close, self->client[self->i]);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->served[0]);
	MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->served[0]);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_acceptor_dropped(&self->acceptor), CROWD - ROOM);
	MAG_AWAIT(self->rc, mag_send_all, self->served[0], "ok", 2);
	MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->buf, 2, NULL);
	CHECK_EQ(self->rc, 2);

	for (self->i = 0; self->i < ROOM; self->i++)
		MAG_AWAIT(self->rc, mag_close, self->served[self->i]);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_files, out_of_descriptors_it_refuses_waits_and_recovers, .timeout = 60)
{
	RUN(crowd);
}

/* Closed while it waits for descriptors. */
struct starved_close {
	mag_frame frame;
	MAG_NO_ARGS(starved_close);
	mag_fd listener, client;
	mag_addr addr;
	mag_acceptor acceptor;
	int64_t rc, waited;
};

static bool waiting(const mag_acceptor *acceptor)
{
	return source(acceptor).state == MAGI_SOURCE_WAITING;
}

MAG_TASK(starved_close)
{
	MAG_BEGIN(starved_close);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_socket(AF_INET, SOCK_STREAM, 0, &self->client), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	CHECK_EQ(limit_files(0), 0);
	MAG_AWAIT(self->rc, mag_connect, self->client, &self->addr);
	CHECK_EQ(self->rc, 0);
	WAIT_UNTIL(self->rc, waiting(&self->acceptor));
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_AWAIT(self->rc, mag_close, self->client);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_files, it_closes_while_it_waits_for_descriptors, .timeout = 60)
{
	RUN(starved_close);
}

/* Each allocation and each opening of a file on the way of a connection fails once: the connection is served or closed,
 * and no descriptor is left. */
struct faults {
	mag_frame frame;
	MAG_NO_ARGS(faults);
	mag_fd listener, client, fd;
	mag_addr addr;
	mag_acceptor acceptor;
	mag_scope scope;
	int64_t rc, end, started;
	int n, before, tries;
	char c;
};

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

MAG_TASK(faults)
{
	MAG_BEGIN(faults);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	self->before = count_descriptors();
	for (self->n = 1; self->n < 40; self->n++) {
		magi_fault_plan((uint64_t)self->n, 0);
		self->started = mag_acceptor_start(&self->acceptor, self->listener, NULL);
		MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->client);
		if (self->started == 0 && self->rc == 0) {
			self->tries = 0;
			do {
				MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
				MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
				MAG_SCOPE_END(self->end, &self->scope);
			} while (self->rc == MAG_ECANCELED && !mag_acceptor_dropped(&self->acceptor) &&
				 ++self->tries < 1000);
			CHECK_SAYING(self->rc == 0 || mag_acceptor_dropped(&self->acceptor), self->rc);
			if (self->rc == 0)
				MAG_AWAIT(self->rc, mag_close, self->fd);
		}
		MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
		CHECK_EQ(self->rc, 0);
		magi_fault_plan(0, 0);
		MAG_AWAIT(self->rc, mag_close, self->client);
		if (self->started < 0) { /* what nobody accepted */
			MAG_AWAIT(self->rc, mag_close, self->listener);
			CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
		}
		CHECK_EQ(count_descriptors(), self->before);
		CHECK_EQ(open_files(), 1);
	}
	CLOSE(self->listener);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_files, failures_on_the_way_leave_no_descriptor, .timeout = 60)
{
	RUN(faults);
}

/* The table of files finds no memory for a connection, which is closed: tried by leaving out that close. The fault is
 * aimed at the table's next chunk, by trying each in turn. */
struct full_table {
	mag_frame frame;
	MAG_ARGS(full_table, int n; uint64_t *dropped;);
	mag_fd listener, client, fd;
	mag_addr addr;
	mag_acceptor acceptor;
	mag_scope scope;
	int64_t rc, end;
	int before, tries;
};

/* All but one of the table's records are in use. */
static int fill_chunk(void)
{
	mag_fd fd;
	int rc;

	do
		rc = mag_fd_adopt(open("/dev/null", O_RDONLY | O_CLOEXEC), &fd);
	while (rc == 0 && fd.index % MAGI_FD_CHUNK != MAGI_FD_CHUNK - 2);
	return rc;
}

MAG_TASK(full_table)
{
	MAG_BEGIN(full_table);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	CHECK_EQ(fill_chunk(), 0);
	CHECK_EQ(mag_socket(AF_INET, SOCK_STREAM, 0, &self->client), 0);
	self->before = count_descriptors();
	magi_fault_plan((uint64_t)self->n, 0);
	MAG_AWAIT(self->rc, mag_connect, self->client, &self->addr);
	self->tries = self->rc < 0 ? 1000 : 0;
	do {
		MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		MAG_SCOPE_END(self->end, &self->scope);
	} while (self->rc == MAG_ECANCELED && !mag_acceptor_dropped(&self->acceptor) && ++self->tries < 1000);
	magi_fault_plan(0, 0);
	*self->dropped += mag_acceptor_dropped(&self->acceptor);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_close, self->fd);
	CHECK_EQ(count_descriptors(), self->before);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_files, a_connection_without_a_record_is_closed, .timeout = 60)
{
	uint64_t dropped = 0;

	for (int n = 1; n < 20; n++) {
		const mag_runtime_options alone = { .size = sizeof(alone), .workers = 1 };
		int64_t rc = mag_run(&alone, full_table, .n = n, .dropped = &dropped);

		cr_assert_eq(rc, 0, "%lld", (long long)rc);
	}
	cr_assert(dropped > 0);
}
