/* SPDX-License-Identifier: MIT */
/* test_fd_reserve.c - room for open files in the kernel's table, before they are opened. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <sys/resource.h>

/* For how many files the kernel has room now. */
static unsigned room(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	unsigned n = 0;

	cr_assert(f);
	while (fgets(line, sizeof line, f) && sscanf(line, "FDSize: %u", &n) != 1)
		;
	fclose(f);
	return n;
}

static void allow(rlim_t files)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < files)
		cr_skip_test("no more than %llu open files are allowed here", (unsigned long long)limit.rlim_max);
	limit.rlim_cur = files;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(fd_reserve, the_table_is_made_large_at_once)
{
	allow(4000);
	cr_assert_lt(room(), 3000);
	cr_assert_eq(mag_fd_reserve(0), 0);
	cr_assert_eq(mag_fd_reserve(1), 0);
	cr_assert_lt(room(), 3000);
	cr_assert_eq(mag_fd_reserve(3000), 0);
	cr_assert_geq(room(), 3000);
	cr_assert_eq(mag_fd_reserve(3000), 0);
}

Test(fd_reserve, the_limit_holds)
{
	allow(2000);
	cr_assert_eq(mag_fd_reserve(UINT32_MAX), -EMFILE);
	cr_assert_geq(room(), 2000);
	cr_assert_eq(mag_fd_reserve(2000), 0);
	allow(1);
	cr_assert_eq(mag_fd_reserve(1), -EMFILE, "all are open");
	allow(2000); /* sanitizers open files at the end */
}

struct look {
	mag_frame frame;
	MAG_NO_ARGS(look);
};

MAG_TASK(look)
{
	MAG_BEGIN(look);
	MAG_RETURN((int64_t)room());
	MAG_END;
}

/* Tried: a table that grows in the middle of an accept, which holds up a worker for 8 to 16 ms at each doubling. */
Test(fd_reserve, a_runtime_begins_with_room)
{
	int64_t rc;

	allow(1024);
	cr_assert_lt(room(), 1024);
	rc = mag_run(NULL, look);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_geq(rc, 1024, "%lld", (long long)rc);
}
