# SPDX-License-Identifier: MIT
# wake_searcher: who is woken for work is not counted among those who search.
# file: src/sched/idle.c
# test: unit.idle idle/work_wakes_one_worker_and_none_while_it_searches
s/if \(!magi_cas_[a-z]+\(&idle->searching, &none, 1u\)\)/if (none)/
