/* SPDX-License-Identifier: MIT */
/* profile_abort.c - in a coverage build, a process that ends by abort(3) counts, too: tests of wrong use end so.
 *
 * Each program and each shared library has counts of its own, so each has this; a handler calls the one before it. */
#include <signal.h>

int __llvm_profile_write_file(void);

static struct sigaction before;

static void write_counts(int number)
{
	(void)__llvm_profile_write_file();
	if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(number);
}

__attribute__((constructor)) static void catch_abort(void)
{
	struct sigaction action = { .sa_handler = write_counts };

	sigaction(SIGABRT, &action, &before);
}
