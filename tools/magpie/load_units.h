/* SPDX-License-Identifier: MIT */
/* load_units.h - times, counts and sizes: read from the command line, written for people. */
#ifndef MAGPIE_TOOLS_LOAD_UNITS_H
#define MAGPIE_TOOLS_LOAD_UNITS_H

#include <stddef.h>
#include <stdint.h>

enum { LOAD_TEXT = 32 }; /* room for any of the texts */

/* Reads "10s", "1.5m", "250ms", "50us", "2h", "1m30s"; bare: what a number without a unit is in ns, 0 when it must have
 * one.
 * Returns: 0, or -1 and *ns is as it was: not a time, or above 1000 hours */
int load_read_time(const char *text, uint64_t bare, uint64_t *ns);

/* Reads a finite number that is not negative, to the end of the text.  Returns: 0, -1 */
int load_read_number(const char *text, double *value);

/* They write to `out`, which has LOAD_TEXT bytes, and return it. */
char *load_write_time(char *out, double ns);     /* "12.3 ms" */
char *load_write_count(char *out, uint64_t n);   /* "1,234,567" */
char *load_write_bytes(char *out, double bytes); /* "1.2 MiB" */

#endif
