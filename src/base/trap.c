/* SPDX-License-Identifier: MIT */
/* trap.c - handlers of signals; trap.h has the rules. */
#include "base/trap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool magi_trap_is(int number, magi_trap_fn handler)
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler;
}

int magi_trap_put(struct magi_trap *t, int number, magi_trap_fn handler)
{
	/* SA_ONSTACK: where a thread has such a stack it has it for a reason */
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK };

	return sigaction(number, &action, &t->before) == 0 ? 0 : -errno;
}

void magi_trap_put_back(const struct magi_trap *t, int number, magi_trap_fn handler)
{
	if (magi_trap_is(number, handler))
		sigaction(number, &t->before, NULL);
}

bool magi_trap_forked(pid_t owner, int number)
{
	if (getpid() == owner)
		return false;
	signal(number, SIG_DFL);
	raise(number);
	return true;
}
