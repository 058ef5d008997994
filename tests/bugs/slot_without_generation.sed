# SPDX-License-Identifier: MIT
# slot_give: a late completion has the name of who has the slot now.
# file: src/sched/slot.c
# test: unit.slot slot/stale_token_does_not_find_who_has_the_slot_now
s/\tif \(\+\+s->generation == 0\)[^\n]*\n\t\ts->generation = 1;[^\n]*\n//
