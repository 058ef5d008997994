# SPDX-License-Identifier: MIT
# slot_of: never is a moment like others, and comes.
# file: src/sched/wheel.c
# test: unit.wheel wheel/never_is_armed_and_removable_and_does_not_fire
s/\tif \(deadline == UINT64_MAX\)[^\n]*\n\t\treturn MAGI_WHEEL_NEVER;[^\n]*\n//
