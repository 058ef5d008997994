/* SPDX-License-Identifier: MIT */
/* error.h - the codes that functions return: >= 0, -errno of the system, or one of ours. */
#ifndef MAGPIE_ERROR_H
#define MAGPIE_ERROR_H

#include <magpie/impl/api.h>

MAGI_C_BEGIN

enum mag_error {
	MAG_ECANCELED = -4096, /* the scope of the task was cancelled; nothing was taken */
	MAG_ETIMEDOUT = -4097, /* the scope's deadline passed */
	MAG_ECLOSED = -4098,   /* the queue, file or runtime no longer takes work */
	MAG_EDEADLK = -4099,   /* waiting here could never end */
	MAG_ESHUTDOWN = -4100, /* the runtime stopped with work left over */
	MAG_EDEPTH = -4101,    /* scopes nested deeper than MAG_SCOPE_DEPTH_MAX */
	MAG_EEOF = -4102,      /* the other end finished before all was read */
	MAG_EBACKEND = -4103,  /* no I/O backend can run here; mag_runtime_why() says why */
	MAG_EABI = -4104,      /* program and library were built with different layouts */
	MAG_ERESOLVE = -4105,  /* the name could not be resolved */
	MAG_ETOOLONG = -4106,  /* longer than the limit that was given */
	MAG_ESIM = -4107,      /* a simulated or stress run failed: a deadlock, an assertion, something left over */
	MAG_EREFUSED = -4108   /* a circuit breaker is open: it was not called */
};

/* Describes a code in words, also an unknown one.
 *
 * Threads:  any
 * Returns:  a string that lives for ever, never NULL
 * Since:    0.1 */
MAG_API const char *mag_strerror(int64_t code);

/* Names a code: "ECONNRESET", "MAG_ECANCELED", "OK" for >= 0, "EUNKNOWN" otherwise.
 *
 * Threads:  any
 * Returns:  a string that lives for ever, never NULL
 * Since:    0.1 */
MAG_API const char *mag_errname(int64_t code);

MAGI_C_END

#endif
