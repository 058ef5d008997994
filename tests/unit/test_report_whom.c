/* SPDX-License-Identifier: MIT */
/* test_report_whom.c - debug mode: to whom it is told, how often, and what turns it on. */
#include "hear.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static struct heard heard;

/* A future that is completed, and that nobody asks. */
struct drops {
	mag_frame frame;
	MAG_ARGS(drops, int64_t result;);
	mag_future future;
};

MAG_TASK(drops)
{
	MAG_BEGIN(drops);
	mag_future_init(&self->future);
	mag_future_complete(&self->future, self->result);
	mag_future_fini(&self->future);
	MAG_RETURN(0);
	MAG_END;
}

struct several {
	mag_frame frame;
	MAG_ARGS(several, int n; mag_stats *stats;);
	int64_t rc;
	int i;
};

MAG_TASK(several)
{
	MAG_BEGIN(several);
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_CALL(self->rc, drops, .result = self->i);
	mag_runtime_stats(mag_runtime_current(), self->stats);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Runs what is between with stderr in a file, which is then in `text`. */
struct aside {
	int before, file;
};

static struct aside aside_begin(void)
{
	struct aside a = { dup(2), memfd_create("stderr", 0) };

	fflush(stderr);
	dup2(a.file, 2);
	return a;
}

static void aside_end(struct aside a, char *text, size_t size)
{
	ssize_t got;

	dup2(a.before, 2);
	got = pread(a.file, text, size - 1, 0);
	text[got > 0 ? got : 0] = 0;
	close(a.file);
	close(a.before);
}

static int64_t said(char *text, size_t size, int n, mag_stats *stats)
{
	const mag_debug_options debug = { .size = sizeof(debug) };
	const mag_runtime_options options = { .size = sizeof(options), .workers = 1, .debug = &debug };
	struct aside a = aside_begin();
	int64_t rc = mag_run(&options, several, .n = n, .stats = stats);

	aside_end(a, text, size);
	return rc;
}

static int lines_with(const char *text, const char *words)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, words)); at++)
		n++;
	return n;
}

Test(report_whom, each_is_a_line_on_stderr_but_not_thousands_a_second, .timeout = 20)
{
	static char text[64 * 1024];
	mag_stats stats = { .size = sizeof(stats) };

	cr_assert_eq(said(text, sizeof(text), 3, &stats), 0);
	cr_assert_eq(lines_with(text, "magpie: future: nobody has asked for"), 3, "%s", text);
	cr_assert(strstr(text, "made at test_report_whom.c:"), "%s", text);
	cr_assert_eq(stats.reports, 3);
	cr_assert_eq(said(text, sizeof(text), 3000, &stats), 0);
	cr_assert_geq(lines_with(text, "magpie: future: "), 10, "%s", text);
	cr_assert_leq(lines_with(text, "magpie: future: "), 200, "%s", text);
	cr_assert_eq(stats.reports, 3000);
}

Test(report_whom, how_many_were_left_out_is_said_a_second_later, .timeout = 20)
{
	static char text[64 * 1024];
	static mag_runtime rt;
	const mag_debug_options debug = { .size = sizeof(debug) };
	struct magi_saying s;
	struct aside a;

	cr_assert_eq(magi_debug_create(&rt.debug, &debug), 0);
	rt.debug->began -= 100 * MAG_SECOND;
	a = aside_begin();
	for (int i = 0; i < 26; i++) {
		if (i == 25)
			rt.debug->began -= MAG_SECOND;
		magi_say_begin(&s, MAG_REPORT_FILE, NULL);
		magi_text_add(&s.text, "number %d", i);
		magi_say_end(&s, &rt);
	}
	aside_end(a, text, sizeof(text));
	magi_debug_destroy(rt.debug);
	cr_assert(strstr(text, "number 9\n"), "%s", text);
	cr_assert(strstr(text, "number 25 ("), "%s", text);
	cr_assert(strstr(text, " more of this kind before it)\n"), "%s", text);
}

Test(report_whom, fatal_ones_end_the_program, .signal = SIGABRT, .timeout = 20)
{
	hear_begin(&heard);
	heard.options.fatal = true;
	HEAR(&heard, 1, drops, .result = 7);
}

Test(report_whom, off_nothing_is_told, .timeout = 20)
{
	mag_stats stats = { .size = sizeof(stats) };

	hear_begin(&heard);
	heard.options.off = true;
	cr_assert_eq(HEAR(&heard, 1, drops, .result = 7), 0);
	cr_assert_eq(heard.n, 0);
	cr_assert_eq(RUN(1, several, .n = 3, .stats = &stats), 0);
	cr_assert_eq(stats.reports, 0);
}

static void expect(const char *words, const mag_debug_options *given, bool on, bool fatal, uint64_t stall_ms)
{
	struct magi_debug *d;

	if (words)
		setenv("MAGPIE_DEBUG", words, 1);
	else
		unsetenv("MAGPIE_DEBUG");
	cr_assert_eq(magi_debug_create(&d, given), 0);
	cr_assert_eq(d != NULL, on, "%s", words ? words : "-");
	if (d) {
		cr_assert_eq(d->options.fatal, fatal, "%s", words);
		cr_assert_eq(d->options.stall_ns, stall_ms * MAG_MILLISECOND, "%s", words);
	}
	magi_debug_destroy(d);
}

Test(report_whom, environment_turns_it_on, .timeout = 20)
{
	const mag_debug_options on = { .size = sizeof(on), .stall_ns = 5 * MAG_MILLISECOND };
	const mag_debug_options off = { .size = sizeof(off), .off = true };
	const mag_debug_options wrong = { .size = sizeof(wrong) + 1 };
	struct magi_debug *d;

	expect(NULL, NULL, false, false, 0);
	expect("deadlock,queue=1", NULL, false, false, 0);
	expect("reported", NULL, false, false, 0);
	expect("stall=7", NULL, false, false, 0);
	expect("report", NULL, true, false, 100);
	expect("report,stall=7", NULL, true, false, 7);
	expect("stall=7,queue=1,report", NULL, true, false, 7);
	expect("abort", NULL, true, true, 100);
	expect("report", &off, false, false, 0);
	expect(NULL, &on, true, false, 5);
	expect("abort,stall=9", &on, true, true, 9);
	cr_assert_eq(magi_debug_create(&d, &wrong), -EINVAL);
	unsetenv("MAGPIE_DEBUG");
	magi_fault_plan(1, 0);
	cr_assert_eq(magi_debug_create(&d, &on), -ENOMEM);
	magi_fault_plan(0, 0);
}

Test(report_whom, future_of_a_plain_thread_is_told_when_the_environment_says_so, .signal = SIGABRT, .timeout = 20)
{
	mag_future future;

	mag_future_init(&future);
	mag_future_complete(&future, 3);
	mag_future_fini(&future); /* nobody wants to know */
	setenv("MAGPIE_DEBUG", "abort", 1);
	mag_future_init(&future);
	mag_future_complete(&future, 3);
	mag_future_fini(&future);
}

Test(report_whom, kinds_have_names)
{
	cr_assert_str_eq(mag_report_name(MAG_REPORT_STALL), "stall");
	cr_assert_str_eq(mag_report_name(MAG_REPORT_FILE), "file");
	cr_assert_str_eq(mag_report_name(MAG_REPORT_KINDS), "?");
}
