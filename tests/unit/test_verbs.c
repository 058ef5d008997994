/* SPDX-License-Identifier: MIT */
/* test_verbs.c - what the verbs of magpie/task.h promise beyond suspending. */
#include <criterion/criterion.h>
#include <magpie/magpie.h>
#include <signal.h>

/* Arguments are evaluated once, and a verb inside a user's switch resumes there. */
struct counting {
	mag_frame frame;
	MAG_ARGS(counting, int *evaluated; int which;);
	int64_t rc;
	int passed;
};

static uint64_t next_ns(int *evaluated)
{
	++*evaluated;
	return 1000;
}

MAG_TASK(counting)
{
	MAG_BEGIN(counting);
	switch (self->which) {
	case 0:
		self->passed++;
		break;
	case 1:
		MAG_AWAIT(self->rc, mag_sleep, next_ns(self->evaluated));
		self->passed += 10;
		/* fall through */
	default:
		MAG_YIELD(self->rc);
		self->passed += 100;
	}
	MAG_RETURN(self->passed);
	MAG_END;
}

Test(verbs, a_verb_in_a_switch_resumes_there_and_its_arguments_are_evaluated_once, .timeout = 10)
{
	int evaluated = 0;

	cr_assert_eq(mag_run(NULL, counting, .evaluated = &evaluated, .which = 1), 110);
	cr_assert_eq(evaluated, 1);
	cr_assert_eq(mag_run(NULL, counting, .evaluated = &evaluated, .which = 2), 100);
	cr_assert_eq(evaluated, 1);
}

#ifdef MAGPIE_DEBUG
/* the checker would say so */
#define LEAVE_PLAINLY return NULL

struct oops {
	mag_frame frame;
	MAG_NO_ARGS(oops);
	int64_t rc;
};

MAG_TASK(oops)
{
	MAG_BEGIN(oops);
	MAG_YIELD(self->rc);
	LEAVE_PLAINLY;
	MAG_END;
}

/* Tried by leaving MAGI_ENTER out of MAGI_WAIT: the program then waits for ever. */
Test(verbs, a_plain_return_ends_the_program_in_debug_builds, .timeout = 10, .signal = SIGABRT)
{
	mag_run(NULL, oops);
}
#endif
