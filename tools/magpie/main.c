/* SPDX-License-Identifier: MIT */
/* main.c - the `magpie` command: finds the subcommand and hands over. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* Weak: the tool links when a build leaves one out, and says so when it is called. */
extern int cmd_bench(int argc, char **argv) __attribute__((weak));
extern int cmd_demo(int argc, char **argv) __attribute__((weak));
extern int cmd_doctor(int argc, char **argv) __attribute__((weak));
extern int cmd_load(int argc, char **argv) __attribute__((weak));
extern int cmd_fetch(int argc, char **argv) __attribute__((weak));
extern int cmd_serve(int argc, char **argv) __attribute__((weak));
extern int cmd_sim(int argc, char **argv) __attribute__((weak));
extern int cmd_stress(int argc, char **argv) __attribute__((weak));

static const struct command {
	const char *name, *full, *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "serve", "magpie serve", "serve files, or a hello, over HTTP/1.1", cmd_serve },
	{ "load", "magpie load", "load a server over HTTP/1.1 and tell how long its answers take", cmd_load },
	{ "fetch", "magpie fetch", "fetch a list of URLs, with limits and a record of each", cmd_fetch },
	{ "sim", "magpie sim", "run a program in many simulated schedules, replay one", cmd_sim },
	{ "stress", "magpie stress", "run a program many times at once, with everything against it", cmd_stress },
	{ "bench", "magpie bench", "measure this build on this machine", cmd_bench },
	{ "doctor", "magpie doctor", "say what this machine offers and what is missing", cmd_doctor },
	{ "demo", "magpie demo", "a server under load in five seconds", cmd_demo },
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *to)
{
	fprintf(to, "Usage: magpie COMMAND [OPTION...]\n"
		    "       magpie --help | --version\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s%s\n", commands[i].name, commands[i].what,
			commands[i].run ? "" : " (not in this build)");
	fprintf(to, "\n`magpie COMMAND --help` says more.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "-?")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		printf("magpie %s\n", MAGPIE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name))
			continue;
		if (!commands[i].run) {
			fprintf(stderr, "magpie: %s: not in this build\n", name);
			return 1;
		}
		argv[1] = (char *)commands[i].full; /* read only: argp names the program by it */
		return commands[i].run(argc - 1, argv + 1);
	}
	if (argc > 1)
		fprintf(stderr, "magpie: unknown %s: %s\n\n", name[0] == '-' ? "option" : "command", name);
	usage(stderr);
	return 2;
}
