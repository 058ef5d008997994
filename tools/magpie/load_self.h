/* SPDX-License-Identifier: MIT */
/* load_self.h - what this process needs: a load generator that is out of CPU measures itself. */
#ifndef MAGPIE_TOOLS_LOAD_SELF_H
#define MAGPIE_TOOLS_LOAD_SELF_H

#include <stdint.h>

struct load_self {
	uint64_t cpu_ns;  /* of all threads */
	uint64_t wait_ns; /* that they were ready to run, and had no CPU; 0 where the kernel does not tell */
};

/* Until now. */
void load_self_read(struct load_self *self);

#endif
