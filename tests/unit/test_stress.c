/* SPDX-License-Identifier: MIT */
/* test_stress.c - programs many times at once on real threads: what is sound passes, what is lost is found. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/stress.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const mag_stress_options brief = {
	.size = sizeof(brief), .workers = 3, .ns = 300 * MAG_MILLISECOND, .limit_ns = 60 * MAG_SECOND, .quiet = true
};

/* Takes a permit for a while; gives it back, or not when that is asked for and it was cancelled. */
struct borrower {
	mag_frame frame;
	MAG_ARGS(borrower, mag_semaphore *permits; bool careless;);
	int64_t rc;
};

MAG_TASK(borrower)
{
	MAG_BEGIN(borrower);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->permits, 1);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	mag_ledger_add("permits", 1);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MICROSECOND);
	if (self->rc < 0 && self->careless)
		MAG_RETURN(self->rc);
	mag_ledger_add("permits", -1);
	mag_semaphore_release(self->permits, 1);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(stress, a_program_that_gives_back_what_it_takes_passes, .timeout = 120)
{
	mag_semaphore permits;
	mag_stress_result r;

	mag_semaphore_init(&permits, 4, 4);
	cr_assert_eq(mag_stress_into(&r, &brief, borrower, .permits = &permits), 0, "%s", r.failure);
	cr_assert_eq(mag_semaphore_permits(&permits), 4);
	cr_assert_gt(r.runs, 50);
	cr_assert_gt(r.cancelled, 5);
	cr_assert_gt(r.steps, 100);
	mag_semaphore_fini(&permits);
}

Test(stress, a_permit_that_is_not_given_back_is_found, .timeout = 120)
{
	mag_stress_options options = brief;
	mag_semaphore permits;
	mag_stress_result r;

	options.cancel_in = 2;
	mag_semaphore_init(&permits, 1000000, 1000000);
	cr_assert_eq(mag_stress_into(&r, &options, borrower, .permits = &permits, .careless = true), MAG_ESIM);
	cr_assert(strstr(r.failure, "the ledger is off: permits by "), "%s", r.failure);
}

struct failing {
	mag_frame frame;
	MAG_NO_ARGS(failing);
};

MAG_TASK(failing)
{
	MAG_BEGIN(failing);
	MAG_RETURN(-EPROTO);
	MAG_END;
}

Test(stress, an_error_is_found, .timeout = 120)
{
	mag_stress_result r;

	cr_assert_eq(mag_stress_into(&r, &brief, failing), MAG_ESIM);
	cr_assert(strstr(r.failure, "returned EPROTO"), "%s", r.failure);
}

struct stuck {
	mag_frame frame;
	MAG_ARGS(stuck, mag_event *never;);
	int64_t rc;
};

MAG_TASK(stuck)
{
	MAG_BEGIN(stuck);
	MAG_AWAIT(self->rc, mag_event_wait, self->never);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(stress, who_waits_for_ever_is_found, .timeout = 120)
{
	mag_stress_options options = brief;
	mag_event never = MAG_EVENT_INIT;
	mag_stress_result r;

	options.limit_ns = 100 * MAG_MILLISECOND;
	cr_assert_eq(mag_stress_into(&r, &options, stuck, .never = &never), MAG_ESIM);
	cr_assert(strstr(r.failure, "did not end in time"), "%s", r.failure);
}

/* What is said on stderr until release_stderr. */
static int kept = -1;

static int catch_stderr(void)
{
	int fd = memfd_create("said", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	fflush(stderr);
	kept = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	return fd;
}

static void release_stderr(int fd, char *text, size_t room)
{
	ssize_t n;

	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	n = pread(fd, text, room - 1, 0);
	text[n > 0 ? n : 0] = 0;
	close(fd);
}

Test(stress, what_it_waits_for_is_said_while_it_does, .timeout = 120)
{
	mag_stress_options options = brief;
	mag_event never = MAG_EVENT_INIT;
	static char text[1 << 16];
	int fd = catch_stderr();
	int64_t rc;

	options.limit_ns = 500 * MAG_MILLISECOND;
	options.cancel_in = UINT32_MAX;
	options.at_once = 1; /* one that has ended, cancelled, is not in the dump any more */
	options.quiet = false;
	rc = mag_stress(&options, stuck, .never = &never);
	release_stderr(fd, text, sizeof(text));
	cr_assert_eq(rc, MAG_ESIM);
	cr_assert(strstr(text, "stuck: mag_event_wait"), "%s", text);
}

struct untidy {
	mag_frame frame;
	MAG_NO_ARGS(untidy);
	mag_fd pair[2];
};

MAG_TASK(untidy)
{
	MAG_BEGIN(untidy);
	(void)mag_socket_pair(SOCK_STREAM, self->pair);
	MAG_RETURN(0);
	MAG_END;
}

Test(stress, files_that_are_left_open_are_found, .timeout = 120)
{
	mag_stress_options options = brief;
	mag_stress_result r;

	options.ns = MAG_MILLISECOND;
	cr_assert_eq(mag_stress_into(&r, &options, untidy), MAG_ESIM);
	cr_assert(strstr(r.failure, "files were left open"), "%s", r.failure);
}

Test(stress, options_of_another_size_are_refused, .timeout = 10)
{
	const mag_stress_options none = { .size = 0 }, many = { .size = sizeof(many), .workers = MAG_WORKERS_MAX + 1 };

	cr_assert_eq(mag_stress(&none, failing), -EINVAL);
	cr_assert_eq(mag_stress(&many, failing), -EINVAL);
}

Test(stress, a_ledger_of_no_run_takes_no_notice, .timeout = 10)
{
	mag_ledger_add("anything", 1);
	cr_assert_eq(brief.size, sizeof(mag_stress_options));
}
