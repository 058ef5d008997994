/* SPDX-License-Identifier: MIT */
/* replay.c - runs a fuzz target on the files of its corpus, and on each with a byte changed, left out or doubled, where there is
 * no libFuzzer: the same inputs each time. `replay FOLDER` */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 4096, CHANGES = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its very size, for whoever looks behind it. */
static void run(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void change(const uint8_t *data, size_t n, uint32_t random)
{
	uint8_t changed[INPUT + 1];
	size_t at = random / 8 % n, rest = n - at;

	memcpy(changed, data, n);
	switch (random & 3) {
	case 0:
		changed[at] ^= (uint8_t)(1u << (random >> 24 & 7));
		break;
	case 1:
		changed[at] = (uint8_t)(random >> 24);
		break;
	case 2:
		memmove(changed + at, changed + at + 1, rest - 1);
		n--;
		break;
	default:
		memcpy(changed + at + 1, data + at, rest);
		n++;
	}
	run(changed, n < INPUT ? n : INPUT);
}

static int replay(const char *folder, const char *name)
{
	uint8_t data[INPUT];
	char path[4096];
	uint32_t random = 1;
	size_t n;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	n = fread(data, 1, sizeof data, file);
	fclose(file);
	fprintf(stderr, "%s\n", path); /* the last one is what it was, when a target ends it */
	run(data, n);
	for (int i = 0; n && i < CHANGES; i++)
		change(data, n, random = random * 1664525 + 1013904223);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int n = argc > 1 ? scandir(argv[1], &names, NULL, alphasort) : -1, failed = 0, run_n = 0;

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			failed |= replay(argv[1], names[i]->d_name);
			run_n++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	printf("%d files\n", run_n);
	return failed || !run_n;
}
