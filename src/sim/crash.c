/* SPDX-License-Identifier: MIT */
/* crash.c - a program that crashes in its run says how to see it again, and goes on dying.
 *
 * Always:  the handlers are this file's only while a run is under way, and only where nobody else had one. */
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "sim/sim.h"
#include "sim/stack.h"

enum {
	ALTERNATE_BYTES = 64 * 1024,
	SIGNALS = sizeof((int[]){ SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL }) / sizeof(int)
};

static const int deadly[SIGNALS] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
static __thread struct sigaction before[SIGNALS];
static __thread void *alternate; /* a stack for the handler: it may be that the other has no room */

static void restore_handlers(void)
{
	for (int i = 0; i < SIGNALS; i++)
		sigaction(deadly[i], &before[i], NULL);
}

static bool is_overflow(const struct magi_sim *s, const siginfo_t *info)
{
	const struct magi_coroutine *c = s->current ? &s->current->coroutine : NULL;
	const char *at = info->si_addr, *low = c ? c->stack : NULL;

	return info->si_signo == SIGSEGV && low && at < low && at >= low - MAGI_STACK_GUARD;
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	struct magi_host *h = magi_host();

	(void)context;
	restore_handlers();
	if (h && h->ops == &magi_sim_host_ops) {
		struct magi_sim *s = magi_sim_of(h);

		magi_sim_failed(s, "it crashed: %s", is_overflow(s, info) ? "stack overflow" : strsignal(number));
		magi_sim_report(s);
		magi_sim_give_result(s); /* somebody else may look at it */
	}
	raise(number);
}

static void take_alternate(void)
{
	stack_t now;

	if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
		return;
	alternate = magi_stack_take(ALTERNATE_BYTES);
	if (alternate)
		sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = ALTERNATE_BYTES }, NULL);
}

void magi_crash_catch(void)
{
	struct sigaction action = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	take_alternate();
	for (int i = 0; i < SIGNALS; i++) {
		sigaction(deadly[i], NULL, &before[i]);
		if (!(before[i].sa_flags & SA_SIGINFO) && before[i].sa_handler == SIG_DFL)
			sigaction(deadly[i], &action, NULL);
	}
}

void magi_crash_release(void)
{
	restore_handlers();
	if (!alternate)
		return;
	sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
	magi_stack_give(alternate, ALTERNATE_BYTES);
	alternate = NULL;
}
