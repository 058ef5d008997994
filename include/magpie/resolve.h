/* SPDX-License-Identifier: MIT */
/* resolve.h - names of hosts and services as addresses. */
#ifndef MAGPIE_RESOLVE_H
#define MAGPIE_RESOLVE_H

#include <magpie/addr.h>
#include <magpie/task.h>

MAGI_C_BEGIN

enum { MAG_NAME_MAX = 255, MAG_RESOLVE_MAX = 64 };

struct magi_lookup;

/* MAG_CALL(n, mag_resolve, .name = "example.org", .service = "443", .addrs = self->addrs, .max = 8): looks a name up,
 * with the system's resolver, in the blocking lane. Addresses in numbers, with a port in numbers, are not looked up:
 * they take no time. .service: a port in numbers or a name; NULL: port 0. .family: AF_INET, AF_INET6 or AF_UNSPEC (0:
 * both).
 *
 * Await:    yes, a cancellation point: a lookup that is under way goes on without the caller, who does not wait for it
 * Threads:  any worker
 * Returns:  how many addresses there are, at least 1 and at most .max, in the order in which they are to be tried;
 *           MAG_ERESOLVE (no such name, no such service, or no answer), MAG_ETOOLONG (a name of more than MAG_NAME_MAX
 *           bytes), -EINVAL (no name, no addrs, .max 0, an unknown family), -ENOMEM, -EAGAIN (no thread)
 * Since:    0.1 */
struct mag_resolve {
	mag_frame frame;
	MAG_ARGS(mag_resolve, const char *name; const char *service; int family; mag_addr *addrs; uint32_t max;);
	struct magi_lookup *lookup;
	int64_t rc;
};
MAG_API MAG_DECLARE_TASK(mag_resolve);

MAGI_C_END

#endif
