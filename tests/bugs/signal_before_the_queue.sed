# SPDX-License-Identifier: MIT
# wait: the mutex is given back before the lock of the queue is taken: a signal between the two finds nobody.
# file: src/sync/condition.c
# test: simulated.schedules_sync schedules_sync/no_signal_is_lost
s/(\tc->mutex = u->mutex;\n)(\tnext = magi_mutex_let_go\(f, u->mutex\);\n)/\1\tmagi_lock_release(lock);\n\2\tmagi_lock_acquire(lock);\n/
