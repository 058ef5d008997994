# SPDX-License-Identifier: MIT
# poll: what an enter that failed has not taken is said to have failed; the kernel takes it with the next.
# file: src/io/uring.c
# test: unit.uring_queue
s/(\tif \(to_hand_over\(u\)\))[^\n]*\n\t\tmagi_uring_hand_over\(u\);/\1 {\n\t\tif (!magi_uring_hand_over(u))\n\t\t\tfor (uint32_t i = *u->ring.sq.khead; i != u->ring.sq.sqe_tail; i++)\n\t\t\t\tu->failed[u->failed_count++] = u->ring.sq.sqes[i \& u->ring.sq.ring_mask].user_data;\n\t}/
