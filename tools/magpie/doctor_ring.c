/* SPDX-License-Identifier: MIT */
/* doctor_ring.c - what this kernel's io_uring can do, by asking a ring. */
#include "doctor.h"

#include <dlfcn.h>
#include <errno.h>
#include <liburing.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS_MAX 256

/* A flag or feature with its name; the headers of liburing 2.3 lack the newer ones, the kernel does not care. */
struct named {
	unsigned value;
	const char *name;
};

static const struct named flags[] = {
	{ IORING_SETUP_SINGLE_ISSUER, "SINGLE_ISSUER" },
	{ IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN" },
	{ IORING_SETUP_COOP_TASKRUN, "COOP_TASKRUN" },
	{ IORING_SETUP_SUBMIT_ALL, "SUBMIT_ALL" },
};

static const struct named features[] = {
	{ IORING_FEAT_NODROP, "NODROP" },       { IORING_FEAT_SUBMIT_STABLE, "SUBMIT_STABLE" },
	{ IORING_FEAT_FAST_POLL, "FAST_POLL" }, { IORING_FEAT_EXT_ARG, "EXT_ARG" },
	{ IORING_FEAT_CQE_SKIP, "CQE_SKIP" },   { 1u << 17, "NO_IOWAIT" },
};

static const struct named needed[] = {
	{ IORING_OP_ACCEPT, "accept" },     { IORING_OP_CONNECT, "connect" },   { IORING_OP_RECV, "recv" },
	{ IORING_OP_SEND, "send" },         { IORING_OP_RECVMSG, "recvmsg" },   { IORING_OP_SENDMSG, "sendmsg" },
	{ IORING_OP_READ, "read" },         { IORING_OP_WRITE, "write" },       { IORING_OP_OPENAT2, "openat2" },
	{ IORING_OP_CLOSE, "close" },       { IORING_OP_STATX, "statx" },       { IORING_OP_FSYNC, "fsync" },
	{ IORING_OP_POLL_ADD, "poll" },     { IORING_OP_SHUTDOWN, "shutdown" }, { IORING_OP_UNLINKAT, "unlinkat" },
	{ IORING_OP_RENAMEAT, "renameat" }, { IORING_OP_MKDIRAT, "mkdirat" },   { IORING_OP_ASYNC_CANCEL, "cancel" },
};

static const struct named helpful[] = {
	{ IORING_OP_SOCKET, "multishot accept, buffer rings (5.19)" },
	{ IORING_OP_MSG_RING, "wake-ups between rings (5.18)" },
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void add(char *list, size_t size, const char *separator, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? separator : "", name);
}

/* kernel.io_uring_disabled; -1: not there (before 6.6, or io_uring is not in the kernel). */
static int read_disabled(void)
{
	FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

static const char *why_not(int rc, int disabled)
{
	if (rc == -ENOSYS)
		return "the kernel has no io_uring, or a sandbox says so";
	if (rc == -EPERM && disabled > 0)
		return disabled == 2
			       ? "kernel.io_uring_disabled = 2: nobody may use it; sysctl kernel.io_uring_disabled=0"
			       : "kernel.io_uring_disabled = 1: only for the group in kernel.io_uring_group";
	if (rc == -EPERM)
		return "a sandbox (seccomp, a container) forbids it";
	if (rc == -ENOMEM)
		return "no memory for a ring; older kernels count it against the limit on locked memory (ulimit -l)";
	return strerror(-rc);
}

/* Asks for each flag alone: what the kernel does not know makes the set-up fail. */
static void say_flags(struct doctor *d)
{
	char list[256] = "";

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct io_uring ring;

		if (io_uring_queue_init(2, &ring, flags[i].value) < 0)
			continue;
		io_uring_queue_exit(&ring);
		add(list, sizeof list, " ", flags[i].name);
	}
	doctor_text(d, "ring_flags", "ring flags", "%s", list);
}

static void say_ops(struct doctor *d, struct io_uring *ring)
{
	struct io_uring_probe *p = calloc(1, sizeof *p + OPS_MAX * sizeof p->ops[0]);
	char lacking[512] = "", more[256] = "";

	if (!p || io_uring_register_probe(ring, p, OPS_MAX) < 0) {
		doctor_text(d, "opcodes", "opcodes", "this kernel cannot be asked (before 5.6)");
		free(p);
		return;
	}
	for (size_t i = 0; i < COUNT(needed); i++)
		if (!io_uring_opcode_supported(p, (int)needed[i].value))
			add(lacking, sizeof lacking, ", ", needed[i].name);
	for (size_t i = 0; i < COUNT(helpful); i++)
		if (io_uring_opcode_supported(p, (int)helpful[i].value))
			add(more, sizeof more, ", ", helpful[i].name);
	doctor_text(d, "opcodes", "opcodes", "%d, %s%s", p->last_op + 1, *lacking ? "without " : "all that magpie uses",
		    lacking);
	doctor_text(d, "uses", "uses", "%s", *more ? more : "none of the newer ones");
	free(p);
}

/* The headers of 2.3 do not say which version they are; the file that is loaded does, by its name. */
static void say_library(struct doctor *d)
{
	Dl_info info;
	char *path = NULL, *so;

	if (dladdr((void *)(uintptr_t)io_uring_register_probe, &info) && info.dli_fname)
		path = realpath(info.dli_fname, NULL);
	so = path ? strstr(path, "liburing.so.") : NULL;
	if (so)
		doctor_text(d, "liburing", "liburing", "%s", so + strlen("liburing.so."));
	else
		doctor_text(d, "liburing", "liburing", "linked in");
	free(path);
}

void doctor_ring(struct doctor *d)
{
	struct io_uring ring;
	char list[256] = "";
	int disabled = read_disabled(), rc = io_uring_queue_init(2, &ring, 0);

	say_library(d);
	doctor_yes(d, "io_uring", "io_uring", rc == 0);
	if (disabled >= 0 && d->json)
		doctor_number(d, "io_uring_disabled", "", disabled, "");
	else if (disabled >= 0)
		doctor_text(d, "", "", "kernel.io_uring_disabled = %d", disabled);
	if (rc < 0) {
		doctor_text(d, "io_uring_why", "", "%s", why_not(rc, disabled));
		return;
	}
	for (size_t i = 0; i < COUNT(features); i++)
		if (ring.features & features[i].value)
			add(list, sizeof list, " ", features[i].name);
	say_flags(d);
	doctor_text(d, "ring_features", "ring features", "%s", list);
	say_ops(d, &ring);
	io_uring_queue_exit(&ring);
}
