# SPDX-License-Identifier: MIT
# slot_give: after four thousand million operations one has the name that none has.
# file: src/sched/slot.c
# test: unit.slot slot/generation_is_never_0
s/\tif \(\+\+s->generation == 0\)[^\n]*\n\t\ts->generation = 1;[^\n]*\n/\t++s->generation;\n/
