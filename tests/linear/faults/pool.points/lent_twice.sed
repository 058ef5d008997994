# SPDX-License-Identifier: MIT
# magi_pool_pop: looks at the top of the stack, lets the lock go, and takes it away then.
s/(\t\tturn = turn_of\(p, item, now\);\n)/\1\t\tmagi_lock_release(magi_pool_lock(p));\n\t\tmagi_lock_acquire(magi_pool_lock(p));\n/
s/p->idle -= turn != MAGI_POOL_NONE;/p->idle -= turn != MAGI_POOL_NONE \&\& p->idle > 0;/
