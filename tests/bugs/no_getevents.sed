# SPDX-License-Identifier: MIT
# hand_over: the kernel is entered without being asked for completions: with DEFER_TASKRUN none come.
# file: src/io/uring_queue.c
# test: conformance.io_wake
s/(before = magi_uring_unsubmitted\(u\);[^\n]*\n\t\tmagi_uring_enter\(u, )IORING_ENTER_GETEVENTS/\10/
