# SPDX-License-Identifier: MIT
# the end of a task: the lock that it holds is nobody's any more.
# file: src/task/held.c
# test: unit.report_end report/lock_held_at_the_end_of_its_task
s/\t\tif \(is_held\(&note\)\)/\t\tif (!is_held(\&note))/
