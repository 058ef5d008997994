# SPDX-License-Identifier: MIT
# kernel_holds: completions that did not fit in the queue are not asked for.
# file: src/io/uring.c
# test: unit.uring_queue uring_refusal/a_full_completion_queue_is_flushed
s/\(IORING_SQ_TASKRUN \| IORING_SQ_CQ_OVERFLOW\)/IORING_SQ_TASKRUN/
