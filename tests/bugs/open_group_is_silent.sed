# SPDX-License-Identifier: MIT
# leave: the tasks of a group that is left open are cancelled, and nobody hears of it.
# file: src/task/tell.c
# test: unit.report report/group_left_open_with_tasks_in_it
s/\tif \(n <= 0 \|\|/\tif (n >= 0 ||/
