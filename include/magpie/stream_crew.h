/* SPDX-License-Identifier: MIT */
/* stream_crew.h - stages of a stream that run tasks of their own: several calls at once, several streams as they come,
 * ahead of who asks, with a limit in time.
 *
 *	MAG_STREAM_BUFFERED(self->rc, &self->pages, &self->urls.stream, sizeof(struct page), MAG_STREAM_FN(fetch), .limit = 64);
 *	for (;;) {
 *		MAG_AWAIT(self->rc, mag_stream_next, &self->pages.stream, &self->page);   // in the order of the urls
 *		…
 *	}
 *	MAG_AWAIT(self->rc, mag_stream_close, &self->pages.stream);               // what still runs is cancelled and joined
 *
 * The tasks start when the first item is asked for. They live in the scope in which the stage was opened: cancelled with
 * it, and the stage must be closed before that scope is left (else the program ends with both places). A generator may
 * not emit while it has such a stage open. With the first error that is given the other tasks are cancelled. */
#ifndef MAGPIE_STREAM_CREW_H
#define MAGPIE_STREAM_CREW_H

#include <magpie/group.h>
#include <magpie/queue.h>
#include <magpie/stream.h>
#include <magpie/stream_stage.h>

MAGI_C_BEGIN

enum { MAG_STREAM_LIMIT_MAX = 65536 };

struct magi_lane; /* one stream that the tasks take from */

/* What a task tells of an item, or of a lane's end. */
struct magi_done {
	int64_t rc;
	uint64_t seq; /* which item of its lane it is; at the end: how many there were */
	uint32_t slot;
	uint32_t end;
};

typedef struct mag_stream_crew_options {
	size_t size;
	uint32_t limit;    /* items at most that are under way, or have not been asked for; at least 1 */
	bool as_completed; /* not in the order in which they were begun */
	void *ctx;         /* the function's, and that of `discard` */
	/* Called for each item that was made and that nobody will ask for, when the stage is closed; NULL: nothing. */
	void (*discard)(void *ctx, void *item);
} mag_stream_crew_options;

typedef struct mag_stream_crew {
	mag_stream stream;
	struct magi_open_hook hook;
	mag_frame *opener; /* on whose list it is */
	mag_group group;
	mag_queue free; /* places for items that nobody uses */
	mag_queue done; /* struct magi_done */
	struct magi_lane *lanes;
	unsigned char *places;
	struct magi_done *ring; /* in order: those that came before their turn */
	struct magi_done last;  /* that a wait has brought */
	mag_stream_crew_options options;
	mag_stream_fn fn;
	uint64_t given, expected;
	uint32_t in_bytes, place_bytes;
	uint32_t lanes_n, started, lane_ends;
	bool brought;  /* `last` holds one */
	bool starting; /* the wait is a start */
	bool joining;
} mag_stream_crew;

typedef struct mag_stream_timeout {
	mag_stream stream;
	mag_stream_crew ahead;
	mag_stream *who;
	uint64_t ns, deadline;
} mag_stream_timeout;

typedef struct mag_stream_batch_timed {
	mag_stream_batch batch;
	mag_stream_crew ahead;
	mag_stream *who;
	uint64_t ns, deadline;
} mag_stream_batch_timed;

/* Calls an async function for each item of `up`, several at once. Options by name: .limit (must be given), .as_completed,
 * .ctx, .discard. `size`: bytes of what it makes. dst: 0, -ENOMEM, -EINVAL, MAG_EDEPTH, -EBUSY (open).  Since: 0.2 */
#define MAG_STREAM_BUFFERED(dst, s, up, size_, fn, ...)                                                          \
	do {                                                                                                     \
		mag_stream *magi_up = (up);                                                                      \
		MAGI_SITE(NULL, "MAG_STREAM_BUFFERED");                                                          \
		MAGI_STREAM_CREW(dst, s, &magi_up, 1, size_, fn, __VA_ARGS__);                                   \
	} while (0)

/* The items of several streams of one item size, as they come, until all have ended; the first error of one of them comes
 * behind its own items, and ends the others. The array of streams stays. .discard may be given.
 * dst: 0, -ENOMEM, -EINVAL, MAG_EDEPTH, -EBUSY (open).  Since: 0.2 */
#define MAG_STREAM_MERGE(dst, s, ups, n, ...)                                                                    \
	do {                                                                                                     \
		const size_t magi_n = (n);                                                                       \
		MAGI_SITE(NULL, "MAG_STREAM_MERGE");                                                             \
		MAGI_STREAM_CREW(dst, s, ups, magi_n, 0, MAGI_STREAM_NO_FN, .limit = (uint32_t)magi_n,           \
				 .as_completed = true, ##__VA_ARGS__);                                           \
	} while (0)

/* The items of `up`, which a task takes ahead of who asks, up to `n` of them. .discard may be given.
 * dst: 0, -ENOMEM, -EINVAL, MAG_EDEPTH, -EBUSY (open).  Since: 0.2 */
#define MAG_STREAM_AHEAD(dst, s, up, n, ...)                                                                     \
	do {                                                                                                     \
		mag_stream *magi_up = (up);                                                                      \
		MAGI_SITE(NULL, "MAG_STREAM_AHEAD");                                                             \
		MAGI_STREAM_CREW(dst, s, &magi_up, 1, 0, MAGI_STREAM_NO_FN, .limit = (n), ##__VA_ARGS__);         \
	} while (0)

/* The items of `up`, with a limit of `ns` for the wait for each: then MAG_ETIMEDOUT comes, nothing above is cancelled, and
 * who asks again waits for the same item. dst: 0, -ENOMEM, -EINVAL, MAG_EDEPTH, -EBUSY (open).  Since: 0.2 */
#define MAG_STREAM_TIMEOUT(dst, s, up, ns)                                                                       \
	do {                                                                                                     \
		MAGI_SITE(NULL, "MAG_STREAM_TIMEOUT");                                                           \
		(dst) = magi_stream_timeout_open(w, &self->frame, (s), (up), (ns));                              \
	} while (0)

/* Arrays of up to `most` items (items mag_batch), each at the latest `ns` after its first item came. room: memory for so
 * many items. The stage is (s)->batch.stream. dst: 0, -ENOMEM, -EINVAL, MAG_EDEPTH, -EBUSY (open).  Since: 0.2 */
#define MAG_STREAM_BATCH(dst, s, up, room, most, ns)                                                             \
	do {                                                                                                     \
		MAGI_SITE(NULL, "MAG_STREAM_BATCH");                                                             \
		(dst) = magi_stream_batch_open(w, &self->frame, (s), (up), (room), (most), (ns));                \
	} while (0)

#define MAGI_STREAM_NO_FN magi_stream_fn(NULL, 0, 0, 0, 0)
#define MAGI_STREAM_CREW(dst, s, ups, n, size_, fn, ...)                                                         \
	do {                                                                                                     \
		mag_stream_crew_options magi_crew_options = { .size = sizeof(magi_crew_options), __VA_ARGS__ };  \
		(dst) = magi_stream_crew_open(w, &self->frame, (s), (ups), (n), (size_), (fn), &magi_crew_options); \
	} while (0)

MAG_API int magi_stream_crew_open(mag_worker *w, mag_frame *f, mag_stream_crew *s, mag_stream *const *ups, size_t n,
				  size_t size, mag_stream_fn fn, const mag_stream_crew_options *options);
MAG_API int magi_stream_timeout_open(mag_worker *w, mag_frame *f, mag_stream_timeout *s, mag_stream *up, uint64_t ns);
MAG_API int magi_stream_batch_open(mag_worker *w, mag_frame *f, mag_stream_batch_timed *s, mag_stream *up, void *room,
				   size_t most, uint64_t ns);

/* MAG_CALL(rc, mag_stream_each, .stream = …, .fn = MAG_STREAM_FN(…), .ctx = …, .limit = …): calls an async function for
 * each item, up to `limit` at once; its second argument is nothing. The first error cancels the others.
 *
 * Await:    yes, a cancellation point
 * Threads:  as mag_stream_close: the stream is closed in any case
 * Returns:  how many items there were, or the first error: the stream's, or the function's; -EINVAL: a limit of 0
 * Since:    0.2 */
struct mag_stream_each {
	mag_frame frame;
	MAG_ARGS(mag_stream_each, mag_stream *stream; mag_stream_fn fn; void *ctx; uint32_t limit;);
	mag_stream_crew crew;
	mag_stream *last; /* which is to be closed */
	int64_t rc, closed, count;
	char item;
};
MAG_API MAG_DECLARE_TASK(mag_stream_each);

MAGI_C_END

#endif
