# SPDX-License-Identifier: MIT
# drain: the user's function is called under the queue's lock, and may not look at the queue.
# file: src/sync/queue_work.c
# test: unit.queue_work queue_work/drain_gives_back_what_is_left_and_wakes_all
s/(\t\tback\(arg, element\);\n)/\t\tmagi_lock_acquire(magi_waitq_lock(\&q->waitq));\n\1\t\tmagi_lock_release(magi_waitq_lock(\&q->waitq));\n/
