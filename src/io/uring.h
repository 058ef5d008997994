/* SPDX-License-Identifier: MIT */
/* uring.h - a ring, as the files uring*.c share it. Nothing else but tests looks inside.
 *
 * uring.c the contract; uring_setup.c what this kernel can do; uring_queue.c what waits to be handed over, and the one
 * system call; uring_prep.c requests as queue entries; uring_bufs.c receive buffers; uring_bell.c sleeping and waking.
 *
 * Always:  user_data is the caller's token, or above MAGI_TOKEN_MAX one of enum magi_uring_own.
 *          What was queued is handed over in order: nothing enters the submission queue while the backlog holds some.
 * Pairs:   [uring] heads and tails that the kernel shares: ours stored (release), the kernel's loaded (acquire); the
 *          other ends are in the kernel
 *          [rung]  see uring_bell.c */
#ifndef MAGI_IO_URING_H
#define MAGI_IO_URING_H

#include "io/compat.h"
#include "io/io.h"

/* Whether an owner that has nothing to do blocks in poll(2) on its ring instead of io_uring_enter, for tools that hold the
 * whole process up while a thread is in there: valgrind. */
#ifndef MAGI_WAIT_POLL
#define MAGI_WAIT_POLL 0
#endif

enum {
	MAGI_URING_ENTRIES = 256,    /* a loop turn seldom submits more; picked, not measured */
	MAGI_URING_ENTRIES_MIN = 8,  /* below that a ring is no use */
	MAGI_URING_CQ_FACTOR = 8,    /* multishots complete often per entry: 2048 completions, 32 KiB */
	MAGI_URING_BUFS = 256,       /* receive buffers at most: 2 MiB a ring */
	MAGI_URING_HUNGRY = 64,      /* fewer than that many of them: more are asked for */
	MAGI_URING_FAILED = 256,     /* requests that found no memory, in one turn */
	MAGI_URING_BOUND = 4,        /* kernel threads a ring may use for files: four blocked disks' worth; picked */
	MAGI_URING_UNBOUND = 16,     /* and for what may block for ever (a FIFO, a terminal); picked */
	MAGI_URING_BELL_TRIES = 3    /* doorbells through the ring that may get lost before the eventfd is used for good */
};

/* Features that can be left out, by the kernel or by a test. */
enum magi_uring_feature {
	MAGI_URING_DEFER = 1 << 0,      /* SINGLE_ISSUER and DEFER_TASKRUN, 6.1 */
	MAGI_URING_SINGLE = 1 << 1,     /* SINGLE_ISSUER, 6.0 */
	MAGI_URING_COOP = 1 << 2,       /* COOP_TASKRUN and TASKRUN_FLAG, 5.19 */
	MAGI_URING_SUBMIT_ALL = 1 << 3, /* 5.18 */
	MAGI_URING_PBUF = 1 << 4,       /* a shared ring of buffers, 5.19; else each is provided by an operation */
	MAGI_URING_ACCEPTS = 1 << 5,    /* multishot accept, 5.19 */
	MAGI_URING_BELL = 1 << 6,       /* MSG_RING, 5.18 */
	MAGI_URING_REG_FD = 1 << 7,     /* registered ring fd, 5.18 */
	MAGI_URING_NO_IOWAIT = 1 << 8,  /* 6.15 */
	MAGI_URING_ALL = (1 << 9) - 1
};

/* user_data of the ring's own operations. */
enum magi_uring_own {
	MAGI_OWN_BUFFER = 0, /* plus the buffer's id: an operation has provided it, or could not */
	MAGI_OWN_CANCEL = 0x1000,
	MAGI_OWN_BELL,       /* another ring's doorbell has arrived here */
	MAGI_OWN_RINGING,    /* our doorbell to another ring failed */
	MAGI_OWN_EVENTFD     /* somebody wrote to our eventfd */
};
#define MAGI_OWN(what) (MAGI_TOKEN_MAX + 1 + (uint64_t)(what))

/* Codes of magi_req that only the ring's own files use. */
enum magi_uring_code {
	MAGI_URING_CANCEL = MAGI_IO_CODES, /* offset: the token */
	MAGI_URING_PROVIDE                 /* addr: the buffer; len: its id */
};

enum magi_uring_state {
	MAGI_URING_AWAKE,  /* by the owner; left for ASLEEP by the owner, for RUNG by a waker */
	MAGI_URING_ASLEEP, /* about to block, or blocked; left for RUNG by a waker, who then rings, or AWAKE by the owner */
	MAGI_URING_RUNG    /* woken; left for AWAKE by the owner, in a poll that may block */
};

/* Requests that the submission queue had no room for, in order. */
struct magi_uring_backlog {
	struct magi_req *reqs; /* a ring of `capacity`, a power of two or 0 */
	uint32_t head;
	uint32_t count;
	uint32_t capacity;
};

struct magi_uring_bufs {
	struct io_uring_buf_ring *ring; /* NULL: buffers are provided by operations */
	void *at[MAGI_URING_BUFS];      /* by id; NULL: the id is free */
	uint16_t unused[MAGI_URING_BUFS];
	uint16_t unused_count;
	uint16_t tail;  /* of ring */
	bool wanted;    /* some request has asked for a buffer */
	uint16_t again_count;
	uint64_t again[MAGI_URING_BUFS / 64]; /* bits of ids that an operation must provide again */
};

struct magi_uring {
	/* owner only */
	struct io_uring ring;
	uint32_t features;
	uint32_t enter_flags;
	uint32_t pending;
	bool listening;          /* a read of the eventfd is queued or under way */
	bool dozes;              /* the owner waits elsewhere */
	bool bell_heard;         /* a doorbell came through the ring in this poll */
	uint64_t eventfd_value;  /* what that read gets */
	struct magi_uring_backlog backlog;
	uint32_t failed_count;
	uint64_t failed[MAGI_URING_FAILED]; /* tokens */
	struct magi_uring_bufs bufs;
	char pad[MAGI_CACHE_LINE];

	/* any thread */
	uint32_t state;      /* atomic: enum magi_uring_state */
	uint32_t bell_works; /* atomic, by the owner: a doorbell has come through the ring */
	uint32_t bell_tries; /* atomic [stat] */
	int ring_fd;         /* constant */
	int eventfd;         /* constant */
};

/* uring_setup.c */
/* Like open of magi_uring_ops, with only those features that `allowed` names. */
int magi_uring_open(struct magi_io **io, const struct magi_io_params *params, uint32_t allowed);
/* What an error of io_uring_setup means: MAG_EBACKEND and a sentence, or the error itself.
 * disabled: the value of kernel.io_uring_disabled, -1 when it cannot be read. */
int magi_uring_explain(int err, int disabled, char *why, size_t size);
void magi_uring_close(struct magi_uring *u, void (*take)(void *buffer, void *ctx), void *ctx);

/* uring_prep.c */
void magi_uring_prep(struct magi_uring *u, struct io_uring_sqe *sqe, const struct magi_req *req);

/* uring_queue.c */
/* An empty entry, or NULL: the queue is full. */
struct io_uring_sqe *magi_uring_sqe(struct magi_uring *u);
uint32_t magi_uring_unsubmitted(const struct magi_uring *u);
/* Keeps the request for the kernel. -ENOMEM: neither the queue nor the backlog has room. */
int magi_uring_queue(struct magi_uring *u, const struct magi_req *req);
/* Hands over all that can be, the backlog too, without blocking; gathers completions. False: some of it is left. */
bool magi_uring_hand_over(struct magi_uring *u);
/* One system call: hands the queue over; flags: IORING_ENTER_…; with wait_ns, waits for a completion that long. */
int magi_uring_enter(struct magi_uring *u, uint32_t flags, uint64_t wait_ns);
void magi_uring_queue_fini(struct magi_uring *u);

/* uring_bufs.c */
int magi_uring_bufs_init(struct magi_uring *u);
void magi_uring_bufs_fini(struct magi_uring *u);
bool magi_uring_give(struct magi_uring *u, void *buffer);
/* The buffer that a completion used leaves the ring. */
void *magi_uring_buffer_take(struct magi_uring *u, uint16_t id);
/* A completion has a buffer but no data: the buffer stays. */
void magi_uring_buffer_keep(struct magi_uring *u, uint16_t id);
/* The operation that provided a buffer has failed: it is tried again with the next poll. */
void magi_uring_buffer_refused(struct magi_uring *u, uint16_t id);
void magi_uring_provide_again(struct magi_uring *u);

/* uring_bell.c */
int magi_uring_bell_init(struct magi_uring *u);
void magi_uring_bell_fini(struct magi_uring *u);
/* Arms the read of the eventfd. False: no room in the queue. */
bool magi_uring_listen(struct magi_uring *u);
/* Before blocking. False: somebody has rung. */
bool magi_uring_fall_asleep(struct magi_uring *u);
/* After blocking. True: somebody has rung. */
bool magi_uring_get_up(struct magi_uring *u);
/* A poll that blocked was ended by a doorbell: notes whether that came through the ring. */
void magi_uring_woken(struct magi_uring *u);
void magi_uring_wake(struct magi_uring *u, struct magi_uring *from);
/* Takes a completion of one of the ring's own operations. */
void magi_uring_own(struct magi_uring *u, uint64_t user_data, int res);

#endif
