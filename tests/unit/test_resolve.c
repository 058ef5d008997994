/* SPDX-License-Identifier: MIT */
/* test_resolve.c - names. No test needs a name server. */
#include "net_run.h"

#include <magpie/offload.h>
#include <magpie/resolve.h>

static uint64_t jobs(void)
{
	mag_lane_stats stats = { .size = sizeof(stats) };

	mag_offload_stats(mag_runtime_current(), MAG_BLOCKING, &stats);
	return stats.jobs + stats.running + stats.queued;
}

struct literals {
	mag_frame frame;
	MAG_NO_ARGS(literals);
	mag_addr addrs[4], want;
	int64_t rc;
};

MAG_TASK(literals)
{
	MAG_BEGIN(literals);
	MAG_CALL(self->rc, mag_resolve, .name = "127.0.0.1", .service = "80", .addrs = self->addrs, .max = 4);
	CHECK_EQ(self->rc, 1);
	mag_addr_parse(&self->want, "127.0.0.1:80");
	CHECK(mag_addr_equal(&self->addrs[0], &self->want));
	MAG_CALL(self->rc, mag_resolve, .name = "::1", .addrs = self->addrs, .max = 4);
	CHECK_EQ(self->rc, 1);
	mag_addr_parse(&self->want, "[::1]:0");
	CHECK(mag_addr_equal(&self->addrs[0], &self->want));
	MAG_CALL(self->rc, mag_resolve, .name = "::1", .family = AF_INET, .addrs = self->addrs, .max = 4);
	CHECK_EQ(self->rc, MAG_ERESOLVE);
	CHECK_EQ(jobs(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(resolve, addresses_in_numbers_are_not_looked_up, .timeout = 30)
{
	RUN(literals);
}

struct names {
	mag_frame frame;
	MAG_NO_ARGS(names);
	mag_addr addrs[4];
	mag_scope scope;
	mag_fd listener, fd;
	mag_addr at;
	char port[8];
	int64_t rc, end;
};

MAG_TASK(names)
{
	MAG_BEGIN(names);
	MAG_CALL(self->rc, mag_resolve, .name = "localhost", .service = "80", .family = AF_INET, .addrs = self->addrs,
		 .max = 4);
	CHECK_EQ(self->rc, 1);
	CHECK_EQ(mag_addr_port(&self->addrs[0]), 80);
	CHECK_EQ(jobs(), 1);
	MAG_CALL(self->rc, mag_resolve, .name = "localhost", .service = "nosuchservice", .addrs = self->addrs,
		 .max = 4);
	CHECK_EQ(self->rc, MAG_ERESOLVE);
	/* cancelled before it begins */
	MAG_WITH_TIMEOUT(&self->scope, 0);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_CALL(self->rc, mag_resolve, .name = "localhost", .addrs = self->addrs, .max = 4);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	/* and somewhere in the middle */
	for (self->end = 0; self->end < 20; self->end++) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)self->end * 20 * MAG_MICROSECOND);
		MAG_CALL(self->rc, mag_resolve, .name = "localhost", .family = AF_INET, .addrs = self->addrs, .max = 4);
		CHECK_SAYING(self->rc == 1 || self->rc == MAG_ECANCELED, self->rc);
		MAG_SCOPE_END(self->rc, &self->scope);
	}

	CHECK_EQ(listen_local(&self->listener, &self->at), 0);
	snprintf(self->port, sizeof(self->port), "%d", mag_addr_port(&self->at));
	MAG_CALL(self->rc, mag_tcp_dial, .host = "localhost", .service = self->port, .fd = &self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_CALL(self->rc, mag_tcp_dial, .host = "127.0.0.1", .service = self->port, .fd = &self->fd);
	CHECK_EQ(self->rc, -ECONNREFUSED);
	CHECK_EQ(self->fd.generation, 0);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(resolve, names_are_looked_up_and_dialled, .timeout = 60)
{
	RUN(names);
}

struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_addr addr;
	mag_fd fd;
	char name[400];
	int64_t rc;
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	MAG_CALL(self->rc, mag_resolve, .name = NULL, .addrs = &self->addr, .max = 1);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_resolve, .name = "", .addrs = &self->addr, .max = 1);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_resolve, .name = "x", .addrs = NULL, .max = 1);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_resolve, .name = "x", .addrs = &self->addr, .max = 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_resolve, .name = "x", .addrs = &self->addr, .max = 1, .family = AF_UNIX);
	CHECK_EQ(self->rc, -EINVAL);
	memset(self->name, 'a', sizeof(self->name));
	self->name[MAG_NAME_MAX + 1] = 0;
	MAG_CALL(self->rc, mag_resolve, .name = self->name, .addrs = &self->addr, .max = 1);
	CHECK_EQ(self->rc, MAG_ETOOLONG);
	self->name[100] = 0; /* longer than a label may be: known to be wrong without a server */
	MAG_CALL(self->rc, mag_resolve, .name = self->name, .addrs = &self->addr, .max = 1);
	CHECK_EQ(self->rc, MAG_ERESOLVE);
	MAG_CALL(self->rc, mag_tcp_dial, .host = "127.0.0.1", .service = "1", .fd = NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_tcp_dial, .host = NULL, .service = "1", .fd = &self->fd);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_RETURN(0);
	MAG_END;
}

Test(resolve, wrong_use_gets_an_error, .timeout = 60)
{
	RUN(wrong);
}
