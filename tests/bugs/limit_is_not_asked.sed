# SPDX-License-Identifier: MIT
# start: a spawn does not ask for a place.
# file: src/task/group.c
# test: unit.structure structure/with_a_limit_no_more_tasks_than_that_exist
s/handle \|\| g->limit \|\|/handle ||/
