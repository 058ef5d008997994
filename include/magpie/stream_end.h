/* SPDX-License-Identifier: MIT */
/* stream_end.h - what takes a stream to its end: fold, collect to an array, collect to a table, for each.
 *
 *	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->squares.stream, .fold = add, .ctx = &self->sum);
 *	MAG_CALL(self->rc, mag_stream_collect, .stream = &self->lines.stream, .into = &self->list, .limit = 10000);
 *
 * Each of these closes the stream in any case, so that nothing is left to do but to look at the result. */
#ifndef MAGPIE_STREAM_END_H
#define MAGPIE_STREAM_END_H

#include <magpie/stream.h>

MAGI_C_BEGIN

/* Takes an item in: 0 go on, 1 it is enough, or an error. */
typedef int (*mag_stream_folder)(void *ctx, const void *item);

/* MAG_CALL(rc, mag_stream_fold, .stream = …, .fold = …, .ctx = …): calls a plain function for each item.
 *
 * Await:    yes, a cancellation point
 * Threads:  as mag_stream_close
 * Returns:  how many items there were, or the first error: the stream's, or the function's
 * Since:    0.2 */
struct mag_stream_fold {
	mag_frame frame;
	MAG_ARGS(mag_stream_fold, mag_stream *stream; mag_stream_folder fold; void *ctx;);
	int64_t rc, closed, count;
	MAGI_ALIGNED(16) unsigned char room[MAG_STREAM_ITEM_MAX];
};
MAG_API MAG_DECLARE_TASK(mag_stream_fold);

/* An array that grows. All zero is an empty one. */
typedef struct mag_list {
	void *items;
	size_t count;
	size_t room;
} mag_list;

/* MAG_CALL(rc, mag_stream_collect, .stream = …, .into = &list, .limit = …): adds all items to an array.
 *
 * Await:    yes, a cancellation point
 * Threads:  as mag_stream_close
 * Owns:     the caller owns the array, also after an error, with what came before it: mag_free(list.items)
 * Returns:  how many items it has now; MAG_ETOOLONG when there were more than `limit` (-EINVAL: a limit of 0), -ENOMEM,
 *           or the stream's error
 * Since:    0.2 */
struct mag_stream_collect {
	mag_frame frame;
	MAG_ARGS(mag_stream_collect, mag_stream *stream; mag_list *into; size_t limit;);
	int64_t rc, closed;
};
MAG_API MAG_DECLARE_TASK(mag_stream_collect);

/* Items by key: a hash table with open addressing. All zero is an empty one. The key is a part of the item, and is
 * compared byte by byte: no padding, no pointers to strings. */
typedef struct mag_table {
	unsigned char *slots; /* a byte that says whether it is in use, and an item, each */
	size_t item_size, key_at, key_size;
	size_t count, room; /* room: a power of two */
	uint64_t seed;
} mag_table;

/* What to do with an item whose key is there. */
enum mag_twice {
	MAG_TWICE_LAST = 0,  /* the last one stays, as in a dict comprehension */
	MAG_TWICE_FIRST = 1, /* the first one stays */
	MAG_TWICE_ERROR = 2  /* -EEXIST */
};

/* MAG_CALL(rc, mag_stream_to_table, .stream = …, .into = &table, .key_at = offsetof(struct user, id),
 * .key_size = sizeof(uint64_t), .limit = …): adds all items to a table.
 *
 * Await:    yes, a cancellation point
 * Threads:  as mag_stream_close
 * Owns:     the caller owns the table, also after an error, with what came before it: mag_table_fini
 * Returns:  how many items it has now; MAG_ETOOLONG when there were more than `limit` (-EINVAL: a limit of 0, or a key
 *           outside the item), -EEXIST, -ENOMEM, or the stream's error
 * Since:    0.2 */
struct mag_stream_to_table {
	mag_frame frame;
	MAG_ARGS(mag_stream_to_table, mag_stream *stream; mag_table *into; size_t key_at; size_t key_size;
		 enum mag_twice twice; size_t limit;);
	int64_t rc, closed;
	uint64_t turn;
	MAGI_ALIGNED(16) unsigned char room[MAG_STREAM_ITEM_MAX];
};
MAG_API MAG_DECLARE_TASK(mag_stream_to_table);

/* The item with this key, or NULL; good until something is added.  Threads: any, while nothing is added */
MAG_API void *mag_table_find(const mag_table *table, const void *key);

/* The items one after the other, in no order: the one behind `item` (NULL: the first), or NULL.  Threads: as above */
MAG_API void *mag_table_next(const mag_table *table, const void *item);

/* Frees it. One that is all zero is fine.  Threads: any */
MAG_API void mag_table_fini(mag_table *table);

MAGI_C_END

#endif
