/* SPDX-License-Identifier: MIT */
/* frame.h - the header of every task's frame: two cache lines, frozen into every user's binary.
 *
 * A *frame* is one activation of an async function. A *leader* is the first frame of a task: spawned, or forked. Frames
 * that MAG_CALL starts share the leader of their caller; the task's state (parked, cancelled) is the leader's alone.
 *
 * Line 1 is what fork, call and finish touch; line 2 is touched by tasks that park or open something. */
#ifndef MAGPIE_IMPL_FRAME_H
#define MAGPIE_IMPL_FRAME_H

#include <magpie/impl/api.h>
#include <magpie/impl/timer.h>

typedef struct mag_frame mag_frame;
typedef struct mag_worker mag_worker;
typedef struct mag_scope mag_scope;

/* Runs a frame to its next suspension; returns the frame to run next, or NULL. */
typedef mag_frame *(*mag_step_fn)(mag_worker *w, mag_frame *f);

/* An await point: where to resume, and what dumps and reports print. */
typedef struct mag_site {
	const void *label;
	const char *func;
	const char *file;
	const char *what;
	int line;
} mag_site;

/* The place where this stands: what is made here knows it. */
#define MAGI_MADE(text)                                                                               \
	__extension__({                                                                               \
		static const mag_site magi_made = { NULL, __func__, __FILE__, (text), __LINE__ };     \
		&magi_made;                                                                           \
	})

enum magi_kind {        /* how the frame was started, in the low bits of `flags` */
	MAGI_CALL = 0,  /* its end resumes the parent with its result */
	MAGI_FORK = 1,  /* its end takes the parent back from the deque, or arrives at the parent's join */
	MAGI_SPAWN = 2, /* its end is counted by its group */
	MAGI_GEN = 3,   /* a generator: its end resumes whoever asked for the next item */
	MAGI_KIND = 3
};

enum magi_flag {           /* only the task itself changes them */
	MAGI_INLINE = 4,   /* runs in its parent's place: the deque was full; the parent is not visible to anybody */
	MAGI_PINNED = 8,   /* runs on its home worker only */
	MAGI_LINKED = 16,  /* is in the member list of its birth scope */
	MAGI_SLOTTED = 32, /* the end of its memory says where its result is to go: task/gather.h */
	MAGI_OPENED = 64,  /* `open` is not empty */
	MAGI_MINDED = 128  /* its end takes the slow path: handle, limit or policy looks at it */
};

/* Bits of the leader's state word; one CAS decides each change. */
#define MAGI_PARKED (1u << 0)    /* waits for a grant: whoever clears the bit owns the task and must resume it */
#define MAGI_PARKED_IO (1u << 1) /* waits for a terminal completion: only its ring resumes it */
#define MAGI_CANCEL (1u << 2)    /* its current scope was cancelled: the next park fails */
#define MAGI_TIMED (1u << 3)     /* with PARKED: what it waits for is a timer, not a wait queue */
#define MAGI_FIRED (1u << 4)     /* its timer fired between being armed and the park: the park fails */
#define MAGI_DEPTH (1u << 8)     /* 8 bits: how many shields are open */
#define MAGI_DEPTH_MASK (255u << 8)
#define MAGI_SEQ (1u << 16)      /* 16 bits: counts parks, so that a stale view of a park is seen as stale */

/* What the frame waits with. The result takes the place of the wait once that is over. */
union magi_op {
	int64_t result;
	struct {
		mag_frame *next, *prev;
		void *on;      /* the struct magi_waitq it is queued in, NULL once removed */
		uint64_t need; /* the primitive's own use */
	} wait;
	magi_timer timer;
	uint64_t word[4]; /* word[3] outlives joins: a return value that waits for them, a spawn that waits for a place */
};

struct MAGI_ALIGNED(16) mag_frame {
	mag_step_fn step;
	mag_frame *parent;
	mag_scope *scope; /* the current one */
	mag_frame *leader;
	const mag_site *at; /* NULL: not begun */
	uint32_t state;     /* atomic */
	int32_t arrived;    /* atomic: children that ended without taking this frame back */
	uint32_t taken;     /* entries of this frame that were removed from a deque by anybody but the child that ended */
	int32_t join_err;   /* atomic: the first error of a forked child */
	uint8_t flags;      /* kind and flags */
	uint8_t class_;     /* size class */
	uint8_t home;       /* worker index, for pinned tasks */
	uint8_t shard;      /* of the birth scope's member list, once linked */
	uint32_t id;        /* 0 until something asks for it */
	/* line 2 */
	struct magi_open *open; /* with MAGI_OPENED: groups, scopes and generators that are open, last first */
	union {
		mag_frame *next; /* in a ready queue, an inbox, a list of claimed tasks */
		uint64_t token;  /* leader, PARKED_IO: the name of its operation */
		mag_frame *leaf; /* leader, PARKED: the frame that waits */
	} q;
	struct {
		mag_frame *next, **pprev;
	} link; /* leader: member list of the birth scope */
	union magi_op op;
};

MAGI_ASSERT_STATIC(sizeof(void *) == 8, "magpie needs 64-bit pointers");
MAGI_ASSERT_STATIC(sizeof(mag_frame) == 128, "the frame header is two cache lines");
MAGI_ASSERT_STATIC(offsetof(mag_frame, open) == 64, "line 1 is what fork and call touch");
MAGI_ASSERT_STATIC(offsetof(mag_frame, taken) % 8 == 0, "taken and join_err are read together");

/* Size classes: steps of 64 bytes up to 4 KiB, then four steps a doubling up to 1 MiB. A constant for constants. */
enum { MAGI_CLASS_FINE = 64, MAGI_CLASSES = 97, MAGI_CLASS_BYTES_MAX = 1 << 20 };
#define MAGI_LOG2(n) (63 - __builtin_clzll((unsigned long long)(n)))
#define MAGI_CLASS_COARSE(n) \
	(MAGI_CLASS_FINE + (MAGI_LOG2((n) - 1) - 12) * 4 + (int)((((n) - 1) >> (MAGI_LOG2((n) - 1) - 2)) & 3) + 1)
#define MAGI_CLASS(n) ((int)((n) <= 4096 ? ((n) + 63) / 64 : MAGI_CLASS_COARSE(n)))

#endif
