# SPDX-License-Identifier: MIT
# try_again: a woken waiter that comes too late says for ever that it is about to try.
s/queue_up\(w, f, m, MAGI_MUTEX_WOKEN\)/queue_up(w, f, m, 0)/
