# SPDX-License-Identifier: MIT
# mag_queue_close: the end of the queue is told to one of those who wait, as a sentinel is.
# file: src/sync/queue.c
# test: unit.pipeline pipeline/close_ends_all_consumers_where_a_sentinel_ends_one
s/\tif \(first\)\n\t\tlist = magi_wait_grant_all\(([^\n]*\n)/\tif (first)\n\t\tlist = magi_wait_grant(\1\tif (list)\n\t\tmagi_store_rlx(\&list->q.next, NULL); \/* [state] *\/\n/
