/* SPDX-License-Identifier: MIT */
/* run_program.c - runs the program of a shared object on real workers, some times: what an ordinary test would do.
 *
 *	run_program PROGRAM.so TIMES [ATTEMPTS]
 *
 * With ATTEMPTS it is enough that one of so many, each a process of its own, goes well: a program with a bug may show it. */
#include <dlfcn.h>
#include <magpie/program.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANGS_S = 5 };

static int run(const char *path, int times)
{
	void *object = dlopen(path, RTLD_NOW);
	const mag_program *p = object ? dlsym(object, "mag_program_entry") : NULL;
	const mag_runtime_options options = { .size = sizeof(options), .workers = 2 };

	if (!p) {
		fprintf(stderr, "run_program: no program in %s\n", path);
		return 2;
	}
	for (int i = 0; i < times; i++) {
		int64_t rc = magi_run(&options, p->abi, p->step, p->cls, p->frame_size, p->at, p->args, p->args_size);

		if (rc < 0) {
			fprintf(stderr, "%s: %s %s\n", p->name, mag_strerror(rc), mag_runtime_why());
			return 1;
		}
	}
	return 0;
}

/* In a process of its own, which is ended when it hangs. */
static int attempt(const char *path, int times)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		alarm(HANGS_S);
		_exit(run(path, times));
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: run_program PROGRAM.so TIMES [ATTEMPTS]\n");
		return 2;
	}
	if (argc == 3)
		return run(argv[1], atoi(argv[2]));
	for (int i = 0, n = atoi(argv[3]); i < n; i++) {
		if (attempt(argv[1], atoi(argv[2])) == 0)
			return 0;
	}
	return 1;
}
