# SPDX-License-Identifier: MIT
# next_exit: what gives a resource back runs in the scope of the body, cancelled as that is.
# file: src/task/resource.c
# test: unit.resource resource/exit_may_await_after_a_cancellation_and_is_told_whether_it_was_a_deadline
s/magi_deadline_in\(w, use->grace_ns\), MAGI_SCOPE_SHIELD\)/magi_deadline_in(w, use->grace_ns), 0)/
