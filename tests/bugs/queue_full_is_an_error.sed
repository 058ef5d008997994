# SPDX-License-Identifier: MIT
# queue: a request that finds the submission queue full fails.
# file: src/io/uring_queue.c
# test: unit.uring_queue uring_refusal/what_the_kernel_does_not_take_waits_in_order
s/\tif \(!sqe\)[^\n]*\n\t\treturn backlog_push\(&u->backlog, req\);/\tif (!sqe)\n\t\treturn backlog_push == 0 ? 0 : -ENOMEM;/
