/* SPDX-License-Identifier: MIT */
/* cpus.h - how many CPUs this process may use. */
#ifndef MAGI_SCHED_CPUS_H
#define MAGI_SCHED_CPUS_H

#include <magpie/impl/api.h>

/* The CPUs that affinity and the cgroup's quota allow, at least 1. */
uint32_t magi_cpus_allowed(void);

/* CPUs that the quotas of this cgroup and those above it allow, rounded up; 0: none has one. mount: where cgroup2 is
 * mounted; cgroup: the path in it, which is changed. */
uint32_t magi_cpus_quota(const char *mount, char *cgroup);

#endif
