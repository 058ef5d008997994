# SPDX-License-Identifier: MIT
# search_begin: all workers search at once.
# file: src/sched/idle.c
# test: unit.idle idle/half_of_the_workers_search_at_most
s/uint32_t most = [^;]*;/uint32_t most = w->rt->n;/
