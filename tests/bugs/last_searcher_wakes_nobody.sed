# SPDX-License-Identifier: MIT
# search_found: the last searcher that finds work leaves the rest of it to sleepers.
# file: src/sched/idle.c
# test: unit.idle idle/last_searcher_that_finds_work_wakes_one_more
s/ \|\| \(last && work_in_sight\(w->rt\)\)\)/ || (last \&\& work_in_sight(w->rt) \&\& false))/
