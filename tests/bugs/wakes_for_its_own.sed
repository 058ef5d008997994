# SPDX-License-Identifier: MIT
# offer_woken: another worker is woken for what the waker itself runs next.
# file: src/sched/idle.c
# test: unit.idle idle/one_woken_task_wakes_nobody_two_do_now_and_then_and_many_always
s/\tif \(magi_ready_count\(&w->ready\) <= 1\)[^\n]*\n\t\treturn;[^\n]*\n//
