# SPDX-License-Identifier: MIT
# set_tick: near the end of the clock the next look lies before the last.
# file: src/sched/wheel.c
# test: unit.wheel wheel/end_of_the_clock_neither_wraps_nor_fires_early
s/stale = stale <= LAST_TICK \? stale << MAGI_WHEEL_TICK_BITS : UINT64_MAX;/stale = stale << MAGI_WHEEL_TICK_BITS;/
