# SPDX-License-Identifier: MIT
# wake_searcher: whoever sleeps is woken for one piece of work.
# file: src/sched/idle.c
# test: unit.idle idle/work_wakes_one_worker_and_none_while_it_searches
s/(\t\tif \(unset\(idle, to->pub\.index\)\) \{[^\n]*\n)/\1\t\t\tmagi_wake_all(rt);\n/
