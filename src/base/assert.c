/* SPDX-License-Identifier: MIT */
/* assert.c - the last words of a program that broke a promise. */
#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void magi_panic(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "magpie: %s:%d: %s\n", file, line, text);
	abort();
}
