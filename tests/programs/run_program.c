/* SPDX-License-Identifier: MIT */
/* run_program.c - runs the program of a shared object on real workers, some times: what an ordinary test would do. */
#include <dlfcn.h>
#include <magpie/program.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	void *object = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	const mag_program *p = object ? dlsym(object, "mag_program_entry") : NULL;
	const mag_runtime_options options = { .size = sizeof(options), .workers = 2 };

	if (!p) {
		fprintf(stderr, "usage: run_program PROGRAM.so TIMES\n");
		return 2;
	}
	for (int i = 0, n = atoi(argv[2]); i < n; i++) {
		int64_t rc = magi_run(&options, p->abi, p->step, p->cls, p->frame_size, p->at, p->args, p->args_size);

		if (rc < 0) {
			fprintf(stderr, "%s: %s %s\n", p->name, mag_strerror(rc), mag_runtime_why());
			return 1;
		}
	}
	return 0;
}
