/* SPDX-License-Identifier: MIT */
/* local.h - values for all that runs in a scope: a request's number for whoever logs, a deadline's owner, a test's double.
 *
 *	MAG_LOCAL_KEY(request_id, const uint64_t);             // once, outside functions
 *
 *	MAG_WITH_LOCAL(&self->local, request_id, &self->id);
 *	MAG_CALL(self->rc, handle, .request = self->request);
 *	MAG_LOCAL_END(self->ended, &self->local);
 *
 *	const uint64_t *id = MAG_LOCAL(request_id);            // in handle, and in whatever that calls, forks or spawns
 *
 * The value is seen by what is called or forked in the scope, and by the members of groups that are opened in it: a
 * member of a group that lies around the scope may outlive it, so it sees what the group sees, and the background sees
 * nothing. Where values of one key lie within one another the nearest is seen. A generator sees what its consumer does.
 *
 * The memory is the caller's; nothing is allocated. Reading costs a few loads for each value that is set around. */
#ifndef MAGPIE_LOCAL_H
#define MAGPIE_LOCAL_H

#include <magpie/scope.h>

MAGI_C_BEGIN

typedef struct mag_local {
	mag_scope scope;
	const struct mag_local *outer;
	const void *key, *value;
} mag_local;

/* Makes a key for values of a type, for one source file. What the values are is said by their type: const, if they are only
 * to be read. */
#define MAG_LOCAL_KEY(name, type)                                                     \
	struct name##_key {                                                           \
		type *value;                                                          \
	};                                                                            \
	static const struct name##_key name __attribute__((unused)) = { NULL }

/* The same for several files: this in a header, and MAG_LOCAL_KEY_DEFINE(name) in one of them. */
#define MAG_LOCAL_KEY_EXTERN(name, type)   \
	struct name##_key {                \
		type *value;               \
	};                                 \
	extern const struct name##_key name

/* See MAG_LOCAL_KEY_EXTERN. */
#define MAG_LOCAL_KEY_DEFINE(name) const struct name##_key name = { NULL }

/* Opens a scope in which the key has this value. pointer: to the key's type, valid until the end. */
#define MAG_WITH_LOCAL(local, name, pointer)                                                         \
	do {                                                                                         \
		__typeof__((name).value) const magi_value = (pointer);                               \
		MAGI_SITE(NULL, "local " #name);                                                     \
		magi_local_open(w, &self->frame, (local), &(name), magi_value);                      \
	} while (0)

/* Leaves that scope. dst: as MAG_SCOPE_END. */
#define MAG_LOCAL_END(dst, local)                                                                             \
	do {                                                                                                  \
		MAGI_JOIN_FIRST;                                                                              \
		MAGI_AWAIT(dst, "MAG_LOCAL_END", magi_scope_end(w, &self->frame, &(local)->scope));           \
	} while (0)

/* In an async function: a pointer to the key's value here, or NULL when there is none. */
#define MAG_LOCAL(name) MAG_LOCAL_OF(&self->frame, name)

/* The same in a plain function that the async function with this frame has called. */
#define MAG_LOCAL_OF(frame, name) ((__typeof__((name).value))(uintptr_t)magi_local_find((frame), &(name)))

MAG_API void magi_local_open(mag_worker *w, mag_frame *f, mag_local *local, const void *key, const void *value);

MAGI_FAST const void *magi_local_find(const mag_frame *f, const void *key)
{
	const struct mag_local *l = (const struct mag_local *)f->scope->locals;

	while (l && l->key != key)
		l = l->outer;
	return l ? l->value : NULL;
}

MAGI_C_END

#endif
