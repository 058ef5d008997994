/* SPDX-License-Identifier: MIT */
/* program.h - loading a shared object that declares a MAG_PROGRAM. */
#ifndef MAGPIE_TOOLS_PROGRAM_H
#define MAGPIE_TOOLS_PROGRAM_H

#include <magpie/program.h>

/* NULL: it was said on stderr, after `who`, why not. It stays loaded. */
const mag_program *program_load(const char *who, const char *path);

#endif
