/* SPDX-License-Identifier: MIT */
/* site.h - a place in the sources that names an atomic operation, and the memory order there.
 *
 * MODEL_WEAKEN=FILE:LINE:OP=ORDER in the environment gives one site another order; none: the fence or barrier is gone.
 * MODEL_SITES=1 prints each site that some execution has come to. tools/mutate-orders uses both. */
#ifndef MAGPIE_TESTS_MODEL_SITE_H
#define MAGPIE_TESTS_MODEL_SITE_H

#include <stdbool.h>
#include <stdint.h>

enum model_order { MODEL_NONE, MODEL_RLX, MODEL_ACQ, MODEL_REL, MODEL_AR, MODEL_SEQ };

struct model_site {
	const char *file, *op, *name;
	int line;
	enum model_order order; /* as the source has it; once known, as MODEL_WEAKEN says */
	bool known, printed;
	struct model_site *next;
};

enum model_order site_order(struct model_site *s);
void site_print(void);

static inline bool order_acquires(enum model_order o)
{
	return o == MODEL_ACQ || o >= MODEL_AR;
}

static inline bool order_releases(enum model_order o)
{
	return o >= MODEL_REL;
}

#endif
