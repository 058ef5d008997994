# SPDX-License-Identifier: MIT
# begin: the mutex is given back before the lock is held: a signal that comes between finds nobody.
s/\tnext = magi_mutex_let_go\(f, u->mutex\);\n//
s/(\tf->step = woken;\n)(\tmagi_lock_acquire\(lock\);\n)/\1\tnext = magi_mutex_let_go(f, u->mutex);\n\2/
