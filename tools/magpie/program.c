/* SPDX-License-Identifier: MIT */
/* program.c - loading a shared object that declares a MAG_PROGRAM. */
#include "program.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

const mag_program *program_load(const char *who, const char *path)
{
	char here[4096];
	const mag_program *program;
	void *object;

	/* a name without a slash is a file here, not one on the library path */
	snprintf(here, sizeof(here), "%s%s", strchr(path, '/') ? "" : "./", path);
	object = dlopen(here, RTLD_NOW | RTLD_LOCAL);
	if (!object) {
		fprintf(stderr, "%s: %s\n", who, dlerror());
		return NULL;
	}
	program = dlsym(object, "mag_program_entry");
	if (!program) {
		fprintf(stderr, "%s: %s: declares no program: MAG_PROGRAM(function, ...) is missing\n", who, path);
		return NULL;
	}
	if (program->size != sizeof(*program) || program->abi != MAGI_ABI) {
		fprintf(stderr, "%s: %s: built for layout %#x, this is %#x: build it again%s\n", who, path, program->abi,
			MAGI_ABI, (program->abi ^ MAGI_ABI) == MAGI_ABI_DEBUG ? ", MAGPIE_DEBUG as here" : "");
		return NULL;
	}
	return program;
}
