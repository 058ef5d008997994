/* SPDX-License-Identifier: MIT */
/* 01_run.c - a main task, run to its end: asyncio.run(main()). */
#include <magpie/magpie.h>
#include <stdio.h>

/* The main task. What it returns is what mag_run returns. */
struct program {
	mag_frame frame;
	MAG_ARGS(program, const char *name;);
	int64_t rc;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	printf("hello, %s\n", self->name);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("goodbye, %s\n", self->name);
	MAG_RETURN(42);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program, .name = "world");

	if (rc < 0)
		fprintf(stderr, "01_run: %s %s\n", mag_strerror(rc), mag_runtime_why());
	else
		printf("the main task returned %lld\n", (long long)rc);
	return rc != 42;
}
