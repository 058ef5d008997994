# SPDX-License-Identifier: MIT
# magi_pool_pop: lends the one that has been idle longest, and forgets which one that was.
s/\*item = p->stack\[p->idle - 1\];/*item = p->stack[0];/
