# SPDX-License-Identifier: MIT
# kernel_holds: an owner that has nothing to submit does not enter, and so gets no completions.
# file: src/io/uring.c
# test: conformance.io_wake */what_has_ended_is_due_and_gathered_without_blocking
s/\(IORING_SQ_TASKRUN \| IORING_SQ_CQ_OVERFLOW\)/IORING_SQ_CQ_OVERFLOW/
