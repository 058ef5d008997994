# SPDX-License-Identifier: MIT
# destroy: a task that does not end holds it up, whatever the deadline.
# file: src/run/runtime.c
# test: unit.runtime runtime/destroy_counts_the_tasks_that_do_not_end_in_time
s/magi_monitor_wait\(&rt->monitor, deadline\)/magi_monitor_wait(\&rt->monitor, deadline ? MAGI_NEVER : MAGI_NEVER)/
