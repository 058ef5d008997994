# SPDX-License-Identifier: MIT
# destroy: those who wait at a queue that nobody has closed are cancelled without a word.
# file: src/run/runtime.c
# test: unit.report_end report/waiters_at_a_queue_that_nobody_closed
s/\tmagi_left_waiting\(rt\);\n//
