/* SPDX-License-Identifier: MIT */
/* group_errors.h - what went wrong in a group: a count, a list that is split by kind, and the same in words.
 *
 *	MAG_GROUP_END(self->rc, &self->group);
 *	self->refused = mag_group_errors_split(&self->group, -ECONNREFUSED, &self->error);
 *	mag_group_errors_print(&self->group, stderr);   // all others
 */
#ifndef MAGPIE_GROUP_ERRORS_H
#define MAGPIE_GROUP_ERRORS_H

#include <magpie/group.h>
#include <stdio.h>

MAGI_C_BEGIN

enum { MAG_GROUP_ERRORS_MAX = 64 };

/* What went wrong in one task of a group. */
struct mag_group_error {
	struct mag_group_error *next;
	const mag_site *site; /* where the task last waited, or returned, or was gathered; NULL: none of these */
	int64_t code;
	int64_t index; /* of a gather's member: which one; -1 otherwise */
	struct mag_group_error *all; /* magpie's own */
};

/* After the end of the group: how many members failed, and the list (the first MAG_GROUP_ERRORS_MAX of them).
 * Cancellation of a member by the group itself is no error.
 *
 * Threads:  the owner
 * Owns:     the list is the group's; mag_group_clear frees it
 * Since:    0.1 */
MAG_API uint32_t mag_group_errors(const mag_group *group, const struct mag_group_error **list);

/* After the end of the group: takes the errors of one kind, those with this code, out of the list and the count of
 * mag_group_errors, which then has the rest. Errors above MAG_GROUP_ERRORS_MAX are in no list: they stay in the count.
 *
 * Threads:  the owner
 * Owns:     *list (which may be NULL) is the group's; mag_group_clear frees it
 * Returns:  how many, and *list in the order of ending; 0 for a group that has not ended
 * Since:    0.1 */
MAG_API uint32_t mag_group_errors_split(mag_group *group, int64_t code, const struct mag_group_error **list);

/* After the end of the group: writes its errors to a file, a line each: whose it was, the name of the code, what it means,
 * and where; then how many there are no lines for.
 *
 *	#3 ECONNREFUSED: Connection refused, in fetch at pages.c:41 (mag_connect)
 *
 * Threads:  the owner
 * Returns:  how many lines; 0 for a group that has not ended; -EIO when the file takes no more
 * Since:    0.2 */
MAG_API int mag_group_errors_print(const mag_group *group, FILE *file);

/* The same into the caller's buffer, cut to size - 1 bytes and ended by a 0; nothing is written when size is 0.
 *
 * Threads:  the owner
 * Returns:  how many bytes the whole text has, without the 0: as snprintf
 * Since:    0.2 */
MAG_API size_t mag_group_errors_text(const mag_group *group, char *text, size_t size);

/* One such line, without its end: for lists that were split, and for a log of one's own.
 *
 * Threads:  the owner
 * Returns:  as mag_group_errors_text
 * Since:    0.2 */
MAG_API size_t mag_group_error_text(const struct mag_group_error *error, char *text, size_t size);

/* Frees the error list of an ended group, and what was split off. Calling it on a list that is empty is fine.
 *
 * Threads:  the owner
 * Returns:  0, -EBUSY when the group has not ended: nothing is done
 * Since:    0.1 */
MAG_API int mag_group_clear(mag_group *group);

MAGI_C_END

#endif
