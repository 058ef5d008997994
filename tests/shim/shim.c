/* SPDX-License-Identifier: MIT */
/* shim.c - runs the tests of a program that was compiled against the shim's criterion.h.
 *
 * Each test has a process and a process group of its own, so that a race report, a crash or a hang ends one test. The
 * parent stays single-threaded: ThreadSanitizer cannot follow a fork of several threads. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_SKIPPED 177      /* not a value that tests expect, nor ThreadSanitizer's 66 */
#define TIMEOUT_DEFAULT 600.0 /* for tests without a limit; picked, not measured */
#define TIMEOUT_SCALE 5.0     /* the tests' limits are meant for builds that nothing slows down */

enum outcome { PASSED, FAILED, SKIPPED };

static struct shim_test *tests, **tests_end = &tests;
static struct shim_suite *suites;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool failed; /* under the lock: a cr_expect did not hold in this test */
static const struct shim_test *current;

void shim_add_test(struct shim_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

void shim_add_suite(struct shim_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

static void say(const char *tag, const char *format, va_list args)
{
	fprintf(stderr, "[%s] %s::%s:", tag, current->suite, current->name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void shim_fail(bool fatal, const char *file, int line, const char *what, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&lock);
	failed = true;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	va_start(args, format);
	say("----", format, args);
	va_end(args);
	pthread_mutex_unlock(&lock);
	if (fatal)
		_exit(EXIT_FAILED);
}

void shim_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("SKIP", format, args);
	va_end(args);
	_exit(EXIT_SKIPPED);
}

void shim_log(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static const struct shim_options *suite_options(const char *name)
{
	static const struct shim_options none;

	for (struct shim_suite *s = suites; s; s = s->next) {
		if (!strcmp(s->name, name))
			return s->options;
	}
	return &none;
}

static void call(void (*fn)(void))
{
	if (fn)
		fn();
}

static void run_child(const struct shim_test *test, const struct shim_options *suite)
{
	bool bad;

	setpgid(0, 0);
	current = test;
	call(suite->init);
	call(test->options->init);
	test->run();
	call(test->options->fini);
	call(suite->fini);
	pthread_mutex_lock(&lock);
	bad = failed;
	pthread_mutex_unlock(&lock);
	/* not _exit: ThreadSanitizer turns the code into its own when it has reported something */
	exit(bad ? EXIT_FAILED : 0);
}

/* Waits for the child. Returns its status, or -1 when it took too long. */
static int wait_child(pid_t pid, double seconds)
{
	const struct timespec left = { .tv_sec = (time_t)seconds,
				       .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
	int64_t deadline, now;
	struct timespec t;
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &t);
	deadline = (t.tv_sec + left.tv_sec) * INT64_C(1000000000) + t.tv_nsec + left.tv_nsec;
	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
		if (now >= deadline)
			break;
		t = (struct timespec){ (deadline - now) / 1000000000, (deadline - now) % 1000000000 };
		sigtimedwait(&chld, NULL, &t);
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL); /* it may not have its own group yet */
	waitpid(pid, &status, 0);
	return -1;
}

static enum outcome judge(const struct shim_test *test, const struct shim_options *suite, int status)
{
	int want_signal = test->options->signal ? test->options->signal : suite->signal;
	int want_code = test->options->exit_code ? test->options->exit_code : suite->exit_code;

	if (status == -1) {
		fprintf(stderr, "[FAIL] %s::%s: Timed out.\n", test->suite, test->name);
		return FAILED;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		return SKIPPED;
	if (want_signal ? WIFSIGNALED(status) && WTERMSIG(status) == want_signal :
			  WIFEXITED(status) && WEXITSTATUS(status) == want_code) {
		fprintf(stderr, "[PASS] %s::%s\n", test->suite, test->name);
		return PASSED;
	}
	if (WIFSIGNALED(status))
		fprintf(stderr, "[FAIL] %s::%s: CRASH! signal %d\n", test->suite, test->name, WTERMSIG(status));
	else
		fprintf(stderr, "[FAIL] %s::%s: exit code %d\n", test->suite, test->name, WEXITSTATUS(status));
	return FAILED;
}

static enum outcome run(const struct shim_test *test)
{
	const struct shim_options *suite = suite_options(test->suite);
	double timeout = test->options->timeout > 0 ? test->options->timeout : suite->timeout;
	sigset_t chld, before;
	int status;
	pid_t pid;

	if (test->options->disabled || suite->disabled) {
		fprintf(stderr, "[SKIP] %s::%s: Test is disabled\n", test->suite, test->name);
		return SKIPPED;
	}
	fprintf(stderr, "[RUN ] %s::%s\n", test->suite, test->name);
	fflush(NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "[FAIL] %s::%s: fork: %s\n", test->suite, test->name, strerror(errno));
		return FAILED;
	}
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		run_child(test, suite);
	}
	status = wait_child(pid, timeout > 0 ? timeout * TIMEOUT_SCALE : TIMEOUT_DEFAULT);
	return judge(test, suite, status);
}

/* Takes Criterion's options; those that mean nothing here are ignored. */
int main(int argc, char **argv)
{
	const char *filter = "*";
	int counts[3] = { 0 };
	bool list = false;
	char name[512];

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--filter") && i + 1 < argc)
			filter = argv[++i];
		else if (!strncmp(argv[i], "--filter=", 9))
			filter = argv[i] + 9;
		else if (!strcmp(argv[i], "-l") || !strcmp(argv[i], "--list"))
			list = true;
	}
	for (struct shim_test *test = tests; test; test = test->next) {
		snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
		if (fnmatch(filter, name, 0) != 0)
			continue;
		if (list)
			puts(name);
		else
			counts[run(test)]++;
	}
	if (!list)
		fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: 0\n",
			counts[PASSED] + counts[FAILED], counts[PASSED], counts[FAILED]);
	return counts[FAILED] > 0;
}
