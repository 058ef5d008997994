/* SPDX-License-Identifier: MIT */
/* options.h - structs whose first member is their size, as the program's header knew it.
 *
 * An older program's struct is shorter: what it leaves out is 0, which each option takes for its default. A longer one is
 * a newer program's, whose options the library cannot heed. All options of magpie are taken so; a library that stands on
 * magpie may take its own so, too. */
#ifndef MAGPIE_OPTIONS_H
#define MAGPIE_OPTIONS_H

#include <errno.h>
#include <magpie/impl/api.h>
#include <stddef.h>
#include <string.h>

MAGI_C_BEGIN

/* Takes what a program gave into `to`, a struct of `size` bytes. given: NULL gives nothing, which is fine.
 *
 * Threads:  any
 * Returns:  0; or -EINVAL, when that was longer than `size` or shorter than its own size, and `to` is all 0
 * Since:    0.2 */
static inline int mag_options_take(void *to, size_t size, const void *given)
{
	size_t n;

	memset(to, 0, size);
	if (!given)
		return 0;
	memcpy(&n, given, sizeof(n));
	if (n < sizeof(n) || n > size)
		return -EINVAL;
	memcpy(to, given, n);
	return 0;
}

/* Gives a program as many of the figures in `from`, a struct of `size` bytes, as it knows: `out` says its size, and keeps
 * it.
 *
 * Threads:  any
 * Returns:  0, or -EINVAL: it knows more than there are
 * Since:    0.2 */
static inline int mag_options_give(void *out, const void *from, size_t size)
{
	size_t n;

	memcpy(&n, out, sizeof(n));
	if (n < sizeof(n) || n > size)
		return -EINVAL;
	memcpy((char *)out + sizeof(n), (const char *)from + sizeof(n), n - sizeof(n));
	return 0;
}

MAGI_C_END

#endif
