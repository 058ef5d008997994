/* SPDX-License-Identifier: MIT */
/* local.c - values for all that runs in a scope.
 *
 * What:    each scope has the first of a chain of values; a scope that is opened in it, or a group, begins with the same.
 * Who:     written by the owner of a scope before anything runs in it; read by all that does.
 * Always:  a chain is never changed, and its entries lie in frames around those who read it: no lock, nothing to free. */
#include <magpie/local.h>
#include <magpie/time.h>

void magi_local_open(mag_worker *w, mag_frame *f, mag_local *local, const void *key, const void *value)
{
	local->outer = f->scope->locals;
	local->key = key;
	local->value = value;
	magi_scope_open(w, f, &local->scope, MAG_NEVER, 0);
	local->scope.locals = local;
}
