/* SPDX-License-Identifier: MIT */
/* uring_setup.c - opening a ring with what this kernel can do, and saying why when it can do nothing.
 *
 * Flags are tried from all to none, one group less at each EINVAL; opcodes are asked for by the probe; what cannot be
 * asked for is concluded from an opcode of the same kernel version (compat.h).
 *
 * Who:     the thread that will own the ring: it starts disabled and is enabled here, which ties it to this thread.
 * Not:     SQPOLL: a kernel thread would spin for each worker, and keep privileges that the process has dropped */
#include <errno.h>
#include <fcntl.h>
#include <magpie/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/uring.h"

/* Without these the contract cannot be kept; all of them are there since 5.11. */
#define NEEDED (IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_RW_CUR_POS | IORING_FEAT_EXT_ARG)

#define OPS_ASKED 256

int magi_uring_explain(int err, int disabled, char *why, size_t size)
{
	const char *text;

	switch (err) {
	case -EPERM:
	case -EACCES:
		if (disabled > 0)
			text = "io_uring is switched off here (kernel.io_uring_disabled is not 0); "
			       "root can allow it: sysctl -w kernel.io_uring_disabled=0";
		else
			text = "io_uring is forbidden to this process, by a container's seccomp filter or by a security "
			       "module; allow io_uring_setup, io_uring_enter and io_uring_register there";
		break;
	case -ENOSYS:
	case -EOPNOTSUPP:
		text = "this kernel has no io_uring, or a sandbox or seccomp filter hides it; "
		       "run on Linux 6.1 or later, or allow io_uring in the sandbox";
		break;
	case -EINVAL:
		text = "this kernel's io_uring is too old; run on Linux 6.1 or later";
		break;
	case -ENOMEM:
		if (why)
			snprintf(why, size, "no memory for an io_uring of %d entries; older kernels count it against "
				 "the limit of locked memory (ulimit -l)", MAGI_URING_ENTRIES_MIN);
		return err;
	case -EMFILE:
	case -ENFILE:
		if (why)
			snprintf(why, size, "no file descriptor left for an io_uring; raise the limit (ulimit -n)");
		return err;
	default:
		if (why)
			snprintf(why, size, "io_uring_setup failed: %s", strerror(-err));
		return err;
	}
	if (why)
		snprintf(why, size, "%s", text);
	return MAG_EBACKEND;
}

/* kernel.io_uring_disabled, or -1. */
static int read_disabled(void)
{
	char text[16] = "";
	ssize_t n;
	int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -1;
}

static uint32_t setup_flags(uint32_t features)
{
	uint32_t flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;

	if (features & MAGI_URING_SUBMIT_ALL)
		flags |= IORING_SETUP_SUBMIT_ALL;
	if (features & MAGI_URING_SINGLE)
		flags |= IORING_SETUP_SINGLE_ISSUER;
	if (features & MAGI_URING_DEFER)
		flags |= IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
	else if (features & MAGI_URING_COOP)
		flags |= IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
	return flags;
}

/* The next feature to do without, newest first; 0: there is none. */
static uint32_t newest(uint32_t features)
{
	static const uint32_t order[] = { MAGI_URING_DEFER, MAGI_URING_SINGLE, MAGI_URING_COOP, MAGI_URING_SUBMIT_ALL };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (features & order[i])
			return order[i];
	}
	return 0;
}

static int setup_ring(struct magi_uring *u, uint32_t entries)
{
	for (;;) {
		struct io_uring_params p = { .flags = setup_flags(u->features),
					     .cq_entries = entries * MAGI_URING_CQ_FACTOR };
		int rc = magi_fault() ? -ENOMEM : io_uring_queue_init_params(entries, &u->ring, &p);

		if (rc == -EINVAL && newest(u->features)) {
			u->features &= ~newest(u->features);
		} else if (rc == -ENOMEM && entries > MAGI_URING_ENTRIES_MIN) {
			entries = entries / 2 > MAGI_URING_ENTRIES_MIN ? entries / 2 : MAGI_URING_ENTRIES_MIN;
		} else if (rc >= 0 && (p.features & NEEDED) != NEEDED) { /* [cov kernel] before 5.11 */
			io_uring_queue_exit(&u->ring);
			return -EINVAL;
		} else {
			return rc;
		}
	}
}

static bool has_op(const struct io_uring_probe *probe, unsigned op)
{
	return op < probe->ops_len && (probe->ops[op].flags & IO_URING_OP_SUPPORTED); /* [cov kernel] before 5.19 */
}

static int probe_ops(struct magi_uring *u)
{
	struct io_uring_probe *probe = magi_zalloc(sizeof(*probe) + OPS_ASKED * sizeof(probe->ops[0]));
	uint32_t missing = 0;
	int rc;

	if (!probe)
		return -ENOMEM;
	rc = io_uring_register_probe(&u->ring, probe, OPS_ASKED);
	if (rc < 0 || !has_op(probe, MAGI_OP_OF_5_18) || /* [cov kernel] before 5.18 */
	    !(u->ring.features & IORING_FEAT_CQE_SKIP)) /* [cov kernel] before 5.17 */
		missing |= MAGI_URING_BELL;
	if (rc < 0 || !has_op(probe, MAGI_OP_OF_5_19)) /* [cov kernel] before 5.19 */
		missing |= MAGI_URING_ACCEPTS | MAGI_URING_PBUF;
	if (!(u->ring.features & MAGI_FEAT_NO_IOWAIT)) /* [cov kernel] before 6.15 */
		missing |= MAGI_URING_NO_IOWAIT;
	u->features &= ~missing;
	magi_free(probe);
	return 0;
}

/* What makes a ring better and is not needed: failures are no failure. */
static void tune(struct magi_uring *u)
{
	unsigned workers[2] = { MAGI_URING_BOUND, MAGI_URING_UNBOUND };

	io_uring_register_iowq_max_workers(&u->ring, workers);
	if ((u->features & MAGI_URING_REG_FD) && io_uring_register_ring_fd(&u->ring) == 1)
		u->enter_flags |= IORING_ENTER_REGISTERED_RING;
	else
		u->features &= ~(uint32_t)MAGI_URING_REG_FD;
}

/* liburing 2.3 declares a function for this and does not export it. */
static int enable(struct magi_uring *u)
{
	return magi_fault() ? -ENOMEM : io_uring_register((unsigned)u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

int magi_uring_open(struct magi_io **io, const struct magi_io_params *params, uint32_t allowed)
{
	struct magi_uring *u = magi_zalloc(sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	/* a poll(2) of the ring is not told of completions that the kernel keeps until it is entered */
	u->features = allowed;
	if (MAGI_WAIT_POLL || params->dozes)
		u->features &= ~(uint32_t)(MAGI_URING_DEFER | MAGI_URING_COOP);
	rc = setup_ring(u, params->entries ? params->entries : MAGI_URING_ENTRIES);
	if (rc < 0) {
		rc = magi_uring_explain(rc, rc == -EPERM ? read_disabled() : -1, params->why, params->why_size);
		goto free_ring;
	}
	u->ring_fd = u->ring.ring_fd;
	rc = probe_ops(u);
	if (rc < 0)
		goto exit_ring;
	rc = magi_uring_bufs_init(u);
	if (rc < 0)
		goto exit_ring;
	rc = magi_uring_bell_init(u);
	if (rc < 0)
		goto free_bufs;
	rc = enable(u);
	if (rc < 0) {
		rc = magi_uring_explain(rc, -1, params->why, params->why_size);
		goto free_bell;
	}
	tune(u);
	*io = (struct magi_io *)u;
	return 0;

free_bell:
	magi_uring_bell_fini(u);
free_bufs:
	magi_uring_bufs_fini(u);
exit_ring:
	io_uring_queue_exit(&u->ring);
free_ring:
	magi_free(u);
	return rc;
}

/* The kernel has the eventfd's read until its completion: it must not find the memory gone. */
static void stop_listening(struct magi_uring *u)
{
	uint64_t one = 1;
	ssize_t written;

	if (!u->listening)
		return;
	written = write(u->eventfd, &one, sizeof(one));
	magi_assert(written == (ssize_t)sizeof(one));
	while (u->listening) {
		struct io_uring_cqe *cqe;
		unsigned head, n = 0;

		magi_uring_enter(u, 0, UINT64_MAX);
		io_uring_for_each_cqe(&u->ring, head, cqe) {
			magi_assert(cqe->user_data > MAGI_TOKEN_MAX);
			magi_uring_own(u, cqe->user_data, cqe->res);
			n++;
		}
		io_uring_cq_advance(&u->ring, n);
	}
}

void magi_uring_close(struct magi_uring *u, void (*take)(void *buffer, void *ctx), void *ctx)
{
	stop_listening(u);
	magi_uring_bufs_fini(u);
	io_uring_queue_exit(&u->ring);
	magi_uring_bell_fini(u);
	for (int id = 0; id < MAGI_URING_BUFS; id++) {
		if (u->bufs.at[id])
			take(u->bufs.at[id], ctx);
	}
	magi_uring_queue_fini(u);
	magi_free(u);
}
