/* SPDX-License-Identifier: MIT */
/* cpus.h - how many CPUs this process may use. */
#ifndef MAGI_SCHED_CPUS_H
#define MAGI_SCHED_CPUS_H

#include <stdint.h>

/* The CPUs that affinity and the cgroup's quota allow, at least 1. */
uint32_t magi_cpus_allowed(void);

#endif
