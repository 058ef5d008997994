/* SPDX-License-Identifier: MIT */
/* compat.h - what newer kernels have and the headers of liburing 2.3 do not name.
 *
 * Constants of our own, so that newer headers do not clash. Each is used only where a running ring has said that it
 * knows it: by its features, or by its probe of opcodes. */
#ifndef MAGI_IO_COMPAT_H
#define MAGI_IO_COMPAT_H

#include <liburing.h>

/* 6.15: a thread that waits in the ring counts as idle, not as waiting for a disk. */
#define MAGI_ENTER_NO_IOWAIT (1U << 7)
#define MAGI_FEAT_NO_IOWAIT (1U << 17)

/* An opcode that came with the kernel in question: flags of operations cannot be asked for, opcodes can. */
#define MAGI_OP_OF_5_19 IORING_OP_SOCKET  /* multishot accept, rings of provided buffers, operations on them */
#define MAGI_OP_OF_5_18 IORING_OP_MSG_RING

#endif
