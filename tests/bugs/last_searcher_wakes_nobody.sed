# SPDX-License-Identifier: MIT
# search_end: the last searcher that finds work leaves the rest of it to sleepers.
# file: src/sched/idle.c
# test: unit.idle idle/last_searcher_that_finds_work_wakes_one_more
s/if \((magi_sub_[a-z]+\(&w->rt->idle\.searching, 1u\)) == 1 && found && work_in_sight\(w->rt\)\)/(void)work_in_sight;\n\t(void)found;\n\tif (\1 == UINT32_MAX)/
