/* SPDX-License-Identifier: MIT */
/* transaction.h - a stretch of work that is committed when it ended well, and rolled back otherwise.
 *
 *	MAG_TRANSACTION_BEGIN(self->rc, &self->tx, transfer, &self->connection);
 *	if (self->rc >= 0)
 *		MAG_CALL(self->rc, move_money, .connection = &self->connection);
 *	MAG_TRANSACTION_END(self->rc, &self->tx, self->rc);
 *
 * A transaction `transfer` is three async functions, whose first argument is called `resource`: transfer_begin,
 * transfer_commit, and transfer_rollback, which has one more, `int64_t why`. It is a resource (magpie/resource.h) and all
 * that is said there holds: on every way out one of the two runs, shielded, within its grace; a commit that fails is
 * followed by the rollback, and its error is the result. What holds the connection is a resource around it. */
#ifndef MAGPIE_TRANSACTION_H
#define MAGPIE_TRANSACTION_H

#include <magpie/resource.h>

/* Runs NAME_begin with the resource and these arguments. dst: what it returned; below 0: nothing was begun. */
#define MAG_TRANSACTION_BEGIN(dst, tx, name, resource_, ...)                                                        \
	do {                                                                                                        \
		MAGI_SITE_HERE("transaction " #name);                                                               \
		{                                                                                                   \
			__typeof__((resource_) + 0) const magi_resource = (resource_);                              \
			magi_using_open(tx);                                                                        \
			MAGI_USING_EXIT(tx, MAGI_COMMIT, name##_commit, 0);                                         \
			MAGI_USING_EXIT(tx, MAGI_ROLLBACK, name##_rollback, MAGI_WHY_AT(name##_rollback));          \
			MAGI_USING_ENTER(tx, name##_begin, __VA_ARGS__);                                            \
		}                                                                                                   \
	MAGI_HERE:                                                                                                  \
		MAGI_ENTER;                                                                                         \
		(dst) = magi_using_entered(w, &self->frame, (tx));                                                  \
	} while (0)

/* The body has ended with this result: commit when it is >= 0, else rollback. dst: as MAG_USING_END, whose exit is here
 * the commit or the rollback. */
#define MAG_TRANSACTION_END(dst, tx, result_)                                                                       \
	do {                                                                                                        \
		MAGI_JOIN_FIRST;                                                                                    \
		MAGI_AWAIT(dst, "MAG_TRANSACTION_END", magi_using_end(w, &self->frame, (tx), (result_)));           \
	} while (0)

#endif
